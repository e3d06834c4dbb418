"""Compares the tables of two DuckDB files: columns and types, rows by key, and the values of each column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

SCHEMAS = ("seeds", "staging", "intermediate", "quality", "snapshots", "marts")
EXAMPLES = 3
Key = tuple[str, ...]


@dataclass
class Relation:
    """What differs in one relation, in words and with examples; without a `key`, whole rows are compared."""

    name: str
    status: str  # added, removed, changed, same
    key: Key = ()
    before: int | None = None
    after: int | None = None
    rows_added: int = 0
    rows_removed: int = 0
    rows_changed: int = 0
    findings: list[tuple[str, list[str]]] = field(default_factory=list)


def compare(
    before: Path,
    after: Path,
    names: tuple[set[str], set[str]],
    keys: Mapping[str, list[Key]],
    limits: Mapping[str, str] | None = None,
) -> list[Relation]:
    """The relations that each side's project builds.

    `keys` lists what may identify a row of each, best first; `limits` are DuckDB's settings of memory and disk.
    """
    with duckdb.connect(config=dict(limits or {})) as connection:
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
            relation = Relation(name, "same", findings=list(_columns_that_differ(one[name], other[name])))
            if name not in views:  # a view's rows are those of its tables, under the name that its file had
                _rows(connection, relation, one[name], other[name], keys.get(name, []))
            relation.status = "changed" if relation.findings else "same"
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


def _columns_that_differ(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    for column in {**before, **after}:
        one, other = before.get(column), after.get(column)
        if one is None:
            yield f"column added: {column} {other}", []
        elif other is None:
            yield f"column removed: {column} {one}", []
        elif one != other:
            yield f"type of {column}: {one} is now {other}", []


def _rows(
    connection: duckdb.DuckDBPyConnection,
    relation: Relation,
    before: Mapping[str, str],
    after: Mapping[str, str],
    keys: list[Key],
) -> None:
    def ask(sql: str) -> list[tuple[Any, ...]]:
        return connection.execute(sql).fetchall()

    name, shared = relation.name, [column for column in before if column in after]
    ((relation.before, relation.after),) = ask(
        f"select (select count(*) from before.{name}), (select count(*) from after.{name})"
    )
    if not shared:
        return
    relation.key = next((key for key in keys if set(key) <= set(shared) and _identifies(connection, name, key)), ())
    key = relation.key or tuple(shared)
    by, first = ", ".join(map(_quoted, key)), f"order by all limit {EXAMPLES}"
    pairs = {c: (_quoted(f"before {c}"), _quoted(f"after {c}")) for c in shared if c not in key}
    values = "".join(f", gone.{_quoted(c)} as {one}, come.{_quoted(c)} as {other}" for c, (one, other) in pairs.items())
    old, new = (
        f"select {', '.join(_comparable(c, kinds[c], before[c] == after[c]) for c in shared)} from {side}.{name}"
        for side, kinds in (("before", before), ("after", after))
    )
    less = "except" if relation.key else "except all"
    connection.execute(
        "create or replace temp table differing as with "
        f"gone as (select *, true as is_gone from ({old} {less} {new})), "
        f"come as (select *, true as is_come from ({new} {less} {old})) "
        f"select {by}, is_gone is null as is_added, is_come is null as is_removed{values} "
        f"from gone full join come using ({by})"
    )
    differs = [f"{one} is distinct from {other}" for one, other in pairs.values()]
    changed = ["not is_added and not is_removed", *(f"not is_added and not is_removed and {test}" for test in differs)]
    counts = ", ".join(f"count(*) filter ({test})" for test in ("is_added", "is_removed", *changed))
    ((relation.rows_added, relation.rows_removed, relation.rows_changed, *rows),) = ask(
        f"select {counts} from differing"
    )
    for what in ("added", "removed"):
        rows_of = ask(f"select {by} from differing where is_{what} {first}")
        relation.findings += [(f"row {what}: {_text(row)}", []) for row in rows_of]
    for (column, (one, other)), count, test in zip(pairs.items(), rows, changed[1:], strict=True):
        if count:
            found = ask(f"select {by}, {one}, {other} from differing where {test} {first}")
            examples = [f"{_text(row[:-2])}: {_text(row[-2:-1])} → {_text(row[-1:])}" for row in found]
            relation.findings.append((f"{column} differs in {count:,} rows", examples))


def _comparable(column: str, kind: str, same_kind: bool) -> str:
    """SQL for a column as it is compared and shown; the last digits of a float depend on the order of its sum."""
    name = _quoted(column)
    if kind in ("DOUBLE", "FLOAT"):
        return f"format('{{:.9g}}', round({name}, 12) + 0) as {name}"  # there is no -0
    return name if same_kind else f"{name}::varchar as {name}"


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
    return ", ".join("null" if value is None else str(value) for value in row)
