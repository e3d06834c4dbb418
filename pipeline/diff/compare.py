"""Compares the tables of two DuckDB files: columns and types, rows by key, and the values of each column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

SCHEMAS = ("seeds", "staging", "intermediate", "quality", "snapshots", "marts")
EXAMPLES = 3
Key = tuple[str, ...]


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
    key: Key = ()
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
    before: Path, after: Path, names: tuple[set[str], set[str]], keys: Mapping[str, list[Key]]
) -> list[Relation]:
    """The relations that each side's project builds; `keys` lists what may identify a row of each, best first."""
    with duckdb.connect(config={"memory_limit": "4GB"}) as connection:
        for side, path in (("before", before), ("after", after)):
            quoted = str(path).replace("'", "''")
            connection.execute(f"attach '{quoted}' as {side} (read_only)")
        one, other = (_columns(connection, side, built) for side, built in zip(("before", "after"), names, strict=True))
        listed = connection.execute("select schema_name || '.' || view_name from duckdb_views()").fetchall()
        views = {name for (name,) in listed}
        found = []
        for name in sorted(one.keys() | other.keys()):
            if name not in one or name not in other:
                found.append(Relation(name, "added" if name in other else "removed"))
                continue
            relation = _shape(name, one[name], other[name])
            if name not in views:  # a view's rows are those of its tables, under the name that its file had
                _rows(
                    connection, relation, [column for column in one[name] if column in other[name]], keys.get(name, [])
                )
            if vars(relation) != vars(Relation(name, "same", relation.key, relation.before, relation.after)):
                relation.status = "changed"
            found.append(relation)
        return found


def _columns(connection: duckdb.DuckDBPyConnection, side: str, built: set[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    rows = connection.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
        "where database_name = ? and list_contains(?, schema_name) order by column_index",
        [side, list(SCHEMAS)],
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


def _rows(connection: duckdb.DuckDBPyConnection, relation: Relation, columns: list[str], keys: list[Key]) -> None:
    def ask(sql: str) -> list[tuple[Any, ...]]:
        return connection.execute(sql).fetchall()

    name = relation.name
    ((relation.before, relation.after),) = ask(
        f"select (select count(*) from before.{name}), (select count(*) from after.{name})"
    )
    relation.key = next((key for key in keys if set(key) <= set(columns) and _identifies(connection, name, key)), ())
    if not relation.key:
        listed = ", ".join(map(_quoted, columns))
        for shown, side, without in ((relation.added, "after", "before"), (relation.removed, "before", "after")):
            rows = f"select {listed} from {side}.{name} except all select {listed} from {without}.{name}"
            ((count,),) = ask(f"select count(*) from ({rows})")
            relation.rows_added += count if side == "after" else 0
            relation.rows_removed += count if side == "before" else 0
            shown += map(_text, ask(f"{rows} limit {EXAMPLES}"))
        return
    values = [column for column in columns if column not in relation.key]
    pairs = {column: (_quoted(f"before {column}"), _quoted(f"after {column}")) for column in values}
    connection.execute(_differing(name, relation.key, pairs))
    changes = ["not is_added and not is_removed"]
    changes += [f"{changes[0]} and {one} is distinct from {other}" for one, other in pairs.values()]
    counts = ", ".join(f"count(*) filter ({test})" for test in ("is_added", "is_removed", *changes))
    ((relation.rows_added, relation.rows_removed, relation.rows_changed, *changed),) = ask(
        f"select {counts} from differing"
    )
    by, first = ", ".join(map(_quoted, relation.key)), f"order by all limit {EXAMPLES}"
    relation.added += map(_text, ask(f"select {by} from differing where is_added {first}"))
    relation.removed += map(_text, ask(f"select {by} from differing where is_removed {first}"))
    for (column, (one, other)), rows, test in zip(pairs.items(), changed, changes[1:], strict=True):
        if rows:
            found = ask(f"select {by}, {one}, {other} from differing where {test} {first}")
            examples = [(_text(row[:-2]), _one(row[-2]), _one(row[-1])) for row in found]
            relation.columns.append(ColumnChange(column, rows, examples))


def _differing(name: str, key: Key, pairs: Mapping[str, tuple[str, str]]) -> str:
    """SQL for the rows that one side lacks or that differ, as text, with both sides' values."""
    listed = ", ".join(map(_quoted, key))
    shown = "".join(
        f", b.{_quoted(column)}::varchar as {one}, a.{_quoted(column)}::varchar as {other}"
        for column, (one, other) in pairs.items()
    )
    differs = "".join(f" or {one} is distinct from {other}" for one, other in pairs.values())
    return (
        f"create or replace temp table differing as with differing as (select {listed}, b.rowid is null as is_added, "
        f"a.rowid is null as is_removed{shown} from before.{name} as b full join after.{name} as a using ({listed})) "
        f"select * from differing where is_added or is_removed{differs}"
    )


def _identifies(connection: duckdb.DuckDBPyConnection, name: str, key: Key) -> bool:
    """Whether a key is unique and never null on both sides."""
    listed = ", ".join(map(_quoted, key))
    known = " and ".join(f"{_quoted(column)} is not null" for column in key)
    return all(
        connection.execute(
            f"select count(*) = (select count(*) from (select distinct {listed} from {side}.{name} where {known})) "
            f"from {side}.{name}"
        ).fetchall()
        == [(True,)]
        for side in ("before", "after")
    )


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _text(row: Iterable[Any]) -> str:
    return ", ".join(map(_one, row))


def _one(value: Any) -> str:
    return "null" if value is None else str(value)
