"""The site's own pages, written by the templates beside this file."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from ingest.text import visible
from pipeline.dbt import ROOT

_TEMPLATES = Environment(
    loader=FileSystemLoader([Path(__file__).parent, ROOT]),
    autoescape=True,
    finalize=lambda value: visible(value) if type(value) is str else value,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["thousands"] = lambda number: f"{number:,}"


def render(name: str, **shown: object) -> str:
    """The page of a template, `index`, `columns` or `runs`, from what it shows."""
    return _TEMPLATES.get_template(f"{name}.html.j2").render(shown)
