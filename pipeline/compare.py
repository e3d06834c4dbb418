"""Compares two warehouses relation by relation: row counts and checksums that do not depend on order.

The same SQL runs on both engines, but for reading hex. A row's checksum is the first 13 hex digits of the md5 of its
values as text, and a relation's is the sum of its rows'. Floats become decimals first, and timestamps microseconds,
since the engines write them differently.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.warehouse import Warehouse

COMPARED = ("marts", "snapshots")
COUNTED = ("raw",)
# Bookkeeping that speaks of a run and not of the data.
_CLOCKS = {"loaded_at"}


@dataclass(frozen=True)
class Fingerprint:
    """A relation's row count and, by column, an order-independent checksum; `row` is that of whole rows."""

    rows: int
    row: int
    columns: dict[str, int]


def fingerprints(warehouse: Warehouse, *, columns: bool = False) -> dict[str, Fingerprint]:
    """The fingerprint of every relation of marts and snapshots, and the row count of every raw table.

    `columns` adds a checksum per column, which costs as much again for each.
    """
    found = {}
    for relation in warehouse.relations(*COMPARED, *COUNTED):
        if relation.startswith(tuple(f"{schema}." for schema in COUNTED)):
            ((rows,),) = warehouse.rows(f"select count(*) from {warehouse.prefix}{relation}")
            found[relation] = Fingerprint(rows, 0, {})
            continue
        texts = canonical_columns(warehouse, relation)
        wanted = [_row(texts), *(texts.values() if columns else ())]
        sums = ", ".join(f"coalesce(sum({_checksum(warehouse, text)}), 0)" for text in wanted)
        ((rows, row, *rest),) = warehouse.rows(f"select count(*), {sums} from {warehouse.prefix}{relation}")
        found[relation] = Fingerprint(rows, int(row), dict(zip(texts, map(int, rest), strict=False)))
    return found


def canonical_columns(warehouse: Warehouse, relation: str) -> dict[str, str]:
    """SQL for each column of a relation as text that both engines write alike, by column name."""
    schema, _, name = relation.partition(".")
    columns = warehouse.rows(
        "select lower(column_name), lower(data_type) from information_schema.columns "
        f"where lower(table_schema) = '{warehouse.prefix}{schema}' and lower(table_name) = '{name}' order by 1"
    )
    return {column: _text(column, type_) for column, type_ in columns if column not in _CLOCKS}


def _text(column: str, type_: str) -> str:
    if type_.startswith(("double", "float", "real")):
        text = f"cast(cast({column} as decimal(38, 12)) as varchar)"
    elif type_.startswith("timestamp"):
        text = f"cast(datediff('microsecond', cast('1970-01-01' as timestamp), {column}) as varchar)"
    elif type_.startswith(("varchar", "text")):
        text = f"replace(replace({column}, '~', '~t'), '|', '~p')"
    else:
        text = f"cast({column} as varchar)"
    return f"coalesce({text}, '~n')"


def _row(texts: dict[str, str]) -> str:
    return " || '|' || ".join(texts.values())


def _checksum(warehouse: Warehouse, text: str) -> str:
    return f"cast({warehouse.from_hex.format(f'substr(md5({text}), 1, 13)')} as decimal(38, 0))"


def explain(left: dict[str, Fingerprint], right: dict[str, Fingerprint]) -> dict[str, str]:
    """What differs between the fingerprints of two warehouses, in words by relation; empty when nothing does."""
    found = {}
    for relation in sorted({*left, *right}):
        a, b = left.get(relation), right.get(relation)
        if a is None or b is None:
            found[relation] = f"{relation} exists on one side only"
        elif a.rows != b.rows:
            found[relation] = f"{relation} has {a.rows:,} rows on one side and {b.rows:,} on the other"
        elif a.row != b.row:
            columns = [name for name in a.columns if a.columns[name] != b.columns.get(name)]
            found[relation] = f"{relation} differs in values" + (f" of {', '.join(columns)}" if columns else "")
    return found


def canonical_rows(warehouse: Warehouse, relation: str) -> list[str]:
    """The rows of a relation as text that both engines write alike, in the order of that text."""
    row = _row(canonical_columns(warehouse, relation))
    return sorted(text for (text,) in warehouse.rows(f"select {row} from {warehouse.prefix}{relation}"))
