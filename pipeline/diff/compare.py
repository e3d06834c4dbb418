"""Compares the tables of two DuckDB files: columns and types, rows by key, and the values of each column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

SCHEMAS = ("seeds", "staging", "intermediate", "quality", "snapshots", "marts")
SIDES = ("before", "after")
EXAMPLES = 3


@dataclass(frozen=True)
class ColumnChange:
    """A column whose values differ in some rows that both sides have: how many, and examples (key, before, after)."""

    name: str
    rows: int
    examples: list[tuple[str, str, str]]


@dataclass
class Relation:
    """What differs in one relation; `key` is empty where none identifies a row, and rows are then compared whole."""

    name: str
    status: str  # added, removed, changed, same
    key: tuple[str, ...] = ()
    before: int | None = None
    after: int | None = None
    columns_added: list[str] = field(default_factory=list)
    columns_removed: list[str] = field(default_factory=list)
    types_changed: list[str] = field(default_factory=list)
    rows_added: int = 0
    rows_removed: int = 0
    rows_changed: int = 0
    columns: list[ColumnChange] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def compare(
    before: Path, after: Path, names: tuple[set[str], set[str]], keys: Mapping[str, list[tuple[str, ...]]]
) -> list[Relation]:
    """The relations that each side's project builds; `keys` lists what may identify a row of each, best first."""
    with duckdb.connect(config={"memory_limit": "4GB"}) as connection:
        for alias, path in (("before", before), ("after", after)):
            quoted = str(path).replace("'", "''")
            connection.execute(f"attach '{quoted}' as {alias} (read_only)")
        one, other = (_columns(connection, side, built) for side, built in zip(SIDES, names, strict=True))
        views = {
            name
            for (name,) in connection.execute("select schema_name || '.' || view_name from duckdb_views()").fetchall()
        }
        found = []
        for name in sorted(one.keys() | other.keys()):
            if name not in one or name not in other:
                found.append(Relation(name, "added" if name in other else "removed"))
                continue
            relation = _shape(name, one[name], other[name])
            if name not in views:  # a view's rows are those of its tables, under the name that its file had
                shared = [column for column in one[name] if column in other[name]]
                _rows(connection, relation, shared, keys.get(name, []))
            if vars(relation) != vars(Relation(name, "same", relation.key, relation.before, relation.after)):
                relation.status = "changed"
            found.append(relation)
        return found


def _columns(connection: duckdb.DuckDBPyConnection, database: str, built: set[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    rows = connection.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
        "where database_name = ? and list_contains(?, schema_name) order by column_index",
        [database, list(SCHEMAS)],
    ).fetchall()
    for name, column, kind in rows:
        if name in built:  # a copy still has what its project no longer builds
            found.setdefault(name, {})[column] = kind
    return found


def _shape(name: str, before: dict[str, str], after: dict[str, str]) -> Relation:
    return Relation(
        name,
        "same",
        columns_added=[f"{column} {kind}" for column, kind in after.items() if column not in before],
        columns_removed=[f"{column} {kind}" for column, kind in before.items() if column not in after],
        types_changed=[
            f"{column}: {kind} is now {after[column]}"
            for column, kind in before.items()
            if column in after and after[column] != kind
        ],
    )


def _rows(
    connection: duckdb.DuckDBPyConnection, relation: Relation, columns: list[str], keys: list[tuple[str, ...]]
) -> None:
    name = relation.name

    def ask(sql: str) -> list[tuple[Any, ...]]:
        return connection.execute(sql).fetchall()

    ((relation.before,),), ((relation.after,),) = (ask(f"select count(*) from {side}.{name}") for side in SIDES)
    relation.key = next((key for key in keys if set(key) <= set(columns) and _identifies(connection, name, key)), ())
    if not relation.key:
        listed = ", ".join(map(_quoted, columns))
        for minus, plus, counted, listed_as in (
            ("before", "after", "rows_added", "added"),
            ("after", "before", "rows_removed", "removed"),
        ):
            sql = f"(select {listed} from {plus}.{name} except all select {listed} from {minus}.{name}) as rows"
            setattr(relation, counted, ask(f"select count(*) from {sql}")[0][0])
            setattr(relation, listed_as, [_text(row) for row in ask(f"select * from {sql} limit {EXAMPLES}")])
        return
    values = [column for column in columns if column not in relation.key]
    joined = f"before.{name} as b full join after.{name} as a on " + " and ".join(
        f"b.{_quoted(column)} = a.{_quoted(column)}" for column in relation.key
    )
    first = _quoted(relation.key[0])
    differs = {
        column: f"b.{_quoted(column)}::varchar is distinct from a.{_quoted(column)}::varchar" for column in values
    }
    both = f"a.{first} is not null and b.{first} is not null"
    counts = [
        f"count(*) filter (b.{first} is null)",
        f"count(*) filter (a.{first} is null)",
        f"count(*) filter ({both} and ({' or '.join(differs.values()) or 'false'}))",
        *(f"count(*) filter ({both} and {test})" for test in differs.values()),
    ]
    ((relation.rows_added, relation.rows_removed, relation.rows_changed, *changed),) = ask(
        f"select {', '.join(counts)} from {joined}"
    )
    for side, absent, shown in (("a", "b", relation.added), ("b", "a", relation.removed)):
        by = ", ".join(f"{side}.{_quoted(column)}" for column in relation.key)
        shown += [
            _text(row)
            for row in ask(f"select {by} from {joined} where {absent}.{first} is null order by all limit {EXAMPLES}")
        ]
    by = ", ".join(f"b.{_quoted(column)}" for column in relation.key)
    for column, rows in zip(values, changed, strict=True):
        if rows:
            sql = f"select {by}, b.{_quoted(column)}, a.{_quoted(column)} from {joined} where {both} and {differs[column]} order by all limit {EXAMPLES}"
            examples = [(_text(row[:-2]), _one(row[-2]), _one(row[-1])) for row in ask(sql)]
            relation.columns.append(ColumnChange(column, rows, examples))


def _identifies(connection: duckdb.DuckDBPyConnection, name: str, key: tuple[str, ...]) -> bool:
    """Whether a key is unique and never null on both sides."""
    listed = ", ".join(map(_quoted, key))
    known = " and ".join(f"{_quoted(column)} is not null" for column in key)
    return all(
        connection.execute(
            f"select count(*) = (select count(*) from (select distinct {listed} from {side}.{name} where {known})) from {side}.{name}"
        ).fetchall()
        == [(True,)]
        for side in SIDES
    )


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _text(row: Iterable[Any]) -> str:
    return ", ".join(map(_one, row))


def _one(value: Any) -> str:
    return "null" if value is None else str(value)
