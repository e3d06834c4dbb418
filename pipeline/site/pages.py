"""The site's own pages: what they say is worked out here and written by the templates beside this file."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from ingest.schema import TABLES
from ingest.text import visible
from pipeline.dbt import ROOT
from pipeline.runs import slowest
from pipeline.site.columns import Column, Columns

_TEMPLATES = Environment(
    loader=FileSystemLoader([Path(__file__).parent, ROOT]),
    autoescape=True,
    finalize=lambda value: visible(value) if type(value) is str else value,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["thousands"] = lambda number: f"{number:,}"
_RELATION = attrgetter("relation")


def front_page(found: dict[str, Any], relations: dict[str, dict[str, str]]) -> str:
    """The front page, from what `state` found and from what dbt says of each relation."""
    schemas = groupby(found["rows"], lambda name: str(name).partition(".")[0])
    groups = {schema: list(names) for schema, names in schemas}
    return _TEMPLATES.get_template("index.html.j2").render(state=found, groups=groups, relations=relations)


def runs_page(records: list[dict[str, Any]]) -> str:
    """What ran, what failed, and what takes the time."""
    return _TEMPLATES.get_template("runs.html.j2").render(runs=records[:100], slowest=slowest(records))


def columns_page(columns: Columns) -> str:
    """What each column of a file goes into, and what each column of a mart is made of."""
    files = {
        Column(f"raw.{table.name}", column.name): (table.file, column.source)
        for table in TABLES.values()
        for column in table.columns
    }
    in_files = [_in_file(columns, column, *files[column]) for column in files]
    marts = [column for column in sorted(columns.graph) if column.relation.startswith("marts.")]
    made_of = {
        relation: {
            column.name: [
                {"id": origin in files and _id(origin), "text": ": ".join(files.get(origin, (".".join(origin),)))}
                for origin in sorted(columns.origins(column), key=lambda origin: (origin not in files, origin))
            ]
            for column in group
        }
        for relation, group in groupby(marts, _RELATION)
    }
    return _TEMPLATES.get_template("columns.html.j2").render(files=in_files, marts=made_of, unread=columns.unread)


def _in_file(columns: Columns, column: Column, file: str, name: str) -> dict[str, Any]:
    made = sorted(columns.made_from(column), key=lambda made: (not made.relation.startswith("marts."), made))
    return {
        "file": file,
        "id": _id(column),
        "name": name,
        "marts": sum(made.relation.startswith("marts.") for made in made),
        "made_from": {relation: [name for _, name in group] for relation, group in groupby(made, _RELATION)},
        "decides": sorted(columns.rows_decided(column)),
    }


def _id(column: Column) -> str:
    return ".".join(column)
