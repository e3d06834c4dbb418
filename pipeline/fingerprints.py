"""Compares two warehouses relation by relation: row counts and checksums that do not depend on order.

The same SQL runs on both engines, but for reading hex. A row's checksum is the first 13 hex digits of the md5 of its
values as text, and a relation's is the sum of its rows'. Floats become decimals first, and timestamps microseconds,
since the engines write them differently.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.warehouse import Warehouse

SHOWN = 5  # rows of a relation
# Bookkeeping that speaks of a run and not of the data.
_CLOCKS = {"loaded_at"}


@dataclass(frozen=True)
class Fingerprint:
    """A relation's row count and order-independent checksums: of whole rows under "*", and of columns by name."""

    rows: int
    checksums: dict[str, int]


def fingerprints(warehouse: Warehouse, *, columns: bool = False) -> dict[str, Fingerprint]:
    """The fingerprint of every relation of marts and snapshots, and the row count of every raw table.

    `columns` adds a checksum per column, which costs as much again for each.
    """
    found, relations = {}, warehouse.relations("marts", "snapshots", "raw")
    with warehouse.session() as rows_of:
        for relation in relations:
            texts = {}
            if not relation.startswith("raw."):
                own = _columns(rows_of, warehouse.prefix, relation)
                texts = {"*": _row(own), **(own if columns else {})}
            numbers = (warehouse.from_hex.format(f"substr(md5({text}), 1, 13)") for text in texts.values())
            sums = "".join(f", coalesce(sum(cast({number} as decimal(38, 0))), 0)" for number in numbers)
            ((rows, *sums_of),) = rows_of(f"select count(*){sums} from {warehouse.prefix}{relation}")
            found[relation] = Fingerprint(rows, dict(zip(texts, map(int, sums_of), strict=True)))
    return found


def differences(left: dict[str, Fingerprint], right: dict[str, Fingerprint]) -> dict[str, str]:
    """What differs between the fingerprints of two warehouses, in words by relation; empty when nothing does."""
    found = {}
    for relation in sorted({*left, *right}):
        a, b = left.get(relation), right.get(relation)
        if a is None or b is None:
            found[relation] = f"{relation} exists on one side only"
        elif a.rows != b.rows:
            found[relation] = f"{relation} has {a.rows:,} rows on one side and {b.rows:,} on the other"
        elif a != b:
            columns = [name for name in a.checksums if name != "*" and a.checksums[name] != b.checksums.get(name)]
            found[relation] = f"{relation} differs in values" + (f" of {', '.join(columns)}" if columns else "")
    return found


def only_on_one_side(dev: Warehouse, prod: Warehouse, relation: str) -> Iterator[str]:
    """The first rows of a relation that one target has and the other has not, below the names of its columns."""
    columns = [_columns(warehouse.rows, warehouse.prefix, relation) for warehouse in (dev, prod)]
    one, other = (
        Counter(text for (text,) in warehouse.rows(f"select {_row(own)} from {warehouse.prefix}{relation}"))
        for warehouse, own in zip((dev, prod), columns, strict=True)
    )
    yield ", ".join(columns[0])
    yield from (f"dev only  {row}" for row in sorted((one - other).elements())[:SHOWN])
    yield from (f"prod only {row}" for row in sorted((other - one).elements())[:SHOWN])


def _columns(rows_of: Callable[[str], list[Any]], prefix: str, relation: str) -> dict[str, str]:
    """SQL for each column of a relation as text that both engines write alike, by column name."""
    schema, _, name = relation.partition(".")
    columns = rows_of(
        "select lower(column_name), lower(data_type) from information_schema.columns "
        f"where lower(table_schema) = '{prefix}{schema}' and lower(table_name) = '{name}' order by 1"
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
