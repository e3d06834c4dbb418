"""The templates of the pipeline's pages, of a diff's Markdown and of the bootstrap's SQL, all read in one way."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from ingest.text import visible
from pipeline.dbt import ROOT


def render(name: str, **shown: object) -> str:
    """What a template beside this file makes of what it shows; in HTML all of that is escaped."""
    return _TEMPLATES.get_template(f"{name}.j2").render(shown)


def _thousands(number: float | None) -> str:
    return "–" if number is None else f"{number:,.0f}"


def _cell(text: str) -> str:
    """Text within a cell of a Markdown table, where a page of GitHub would read it as markup."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    for mark in "\\`*_|<>[]":
        plain = plain.replace(mark, f"\\{mark}")
    return plain


def _literal(text: str) -> str:
    """Text in Snowflake's SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


_TEMPLATES = Environment(
    loader=FileSystemLoader([Path(__file__).parent, ROOT]),
    autoescape=select_autoescape(["html.j2"]),
    undefined=StrictUndefined,
    finalize=lambda value: visible(value) if type(value) is str else value,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {"thousands": _thousands, "cell": _cell, "literal": _literal}
