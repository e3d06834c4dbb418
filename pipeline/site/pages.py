"""The site's own pages: what they say is worked out here and written by the templates beside this file."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from ingest.schema import TABLES
from ingest.text import visible
from pipeline.dbt import ROOT
from pipeline.runs import slowest
from pipeline.site.columns import Column, Columns
from pipeline.site.state import SCHEMAS

_TEMPLATES = Environment(
    loader=FileSystemLoader([Path(__file__).parent, ROOT]),
    autoescape=True,
    finalize=lambda value: visible(value) if type(value) is str else value,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["thousands"] = lambda number: f"{number:,}"


def front_page(found: dict[str, Any], relations: dict[str, dict[str, str]]) -> str:
    """The front page from the state and from what dbt says of each relation."""
    groups: dict[str, dict[str, Any]] = {schema: {} for schema in SCHEMAS}
    for name, rows in found["rows"].items():
        schema, _, relation = name.partition(".")
        groups[schema][relation] = {"rows": rows, **relations.get(name, {"description": "", "page": ""})}
    read, loaded, rejected = (
        sum(batch[name] for batch in found["batches"]) for name in ("rows_read", "rows_loaded", "rows_rejected")
    )
    return _TEMPLATES.get_template("index.html.j2").render(
        state=found, groups=groups, read=read, loaded=loaded, rejected=rejected, balanced=read == loaded + rejected
    )


def runs_page(records: list[dict[str, Any]]) -> str:
    """What ran, what failed, and what takes the time."""
    return _TEMPLATES.get_template("runs.html.j2").render(runs=records[:100], slowest=slowest(records))


def columns_page(columns: Columns) -> str:
    """What each column of a file goes into, and what each column of a mart is made of."""
    files = {
        Column(f"raw.{table.name}", column.name): f"{table.file}: {column.source}"
        for table in TABLES.values()
        for column in table.columns
    }
    tables = [
        {
            "file": table.file,
            "columns": [
                _of_file(columns, Column(f"raw.{table.name}", column.name), column.source) for column in table.columns
            ],
        }
        for table in TABLES.values()
    ]
    marts = {
        relation: {
            column.name: [
                {"id": _id(origin) if origin in files else "", "text": files.get(origin, ".".join(origin))}
                for origin in sorted(columns.origins(column), key=lambda origin: (origin not in files, origin))
            ]
            for column in own
        }
        for relation, own in groupby(sorted(columns.known, key=lambda column: column.relation), lambda it: it.relation)
        if relation.startswith("marts.")
    }
    return _TEMPLATES.get_template("columns.html.j2").render(tables=tables, marts=marts, unread=columns.unread)


def _of_file(columns: Columns, column: Column, name: str) -> dict[str, Any]:
    made = sorted(columns.made_from(column), key=lambda made: (not made.relation.startswith("marts."), made))
    return {
        "id": _id(column),
        "name": name,
        "marts": sum(relation.startswith("marts.") for relation, _ in made),
        "made_from": {
            relation: [name for _, name in names] for relation, names in groupby(made, key=lambda made: made.relation)
        },
        "decides": sorted(columns.rows_decided(column)),
    }


def _id(column: Column) -> str:
    return f"{column.relation}.{column.name}"
