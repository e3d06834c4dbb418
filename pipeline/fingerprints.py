"""Compares two warehouses relation by relation: row counts and checksums that do not depend on order.

The same SQL runs on both engines, but for reading hex. A row's checksum is the first 13 hex digits of the md5 of its
values as text, and a relation's is the sum of its rows'. Floats become decimals first, and timestamps microseconds,
since the engines write them differently.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from pipeline.warehouse import Warehouse

SHOWN = 5  # rows of a relation
# Bookkeeping that speaks of a run and not of the data.
_CLOCKS = {"loaded_at"}


class Fingerprint(NamedTuple):
    """A relation's row count and columns, and a checksum of its rows in any order; of a raw table, the count alone."""

    rows: int
    checksum: int
    columns: tuple[str, ...]


def fingerprints(warehouse: Warehouse) -> dict[str, Fingerprint]:
    """The fingerprint of every relation of marts and snapshots, and the row count of every raw table."""
    found, relations = {}, warehouse.relations("marts", "snapshots", "raw")
    with warehouse.session() as rows_of:
        for relation in relations:
            checksum, columns = "0", {}
            if not relation.startswith("raw."):
                columns = _columns(rows_of, warehouse.prefix, relation)
                number = warehouse.from_hex.format(f"substr(md5({_row(columns)}), 1, 13)")
                checksum = f"coalesce(sum(cast({number} as decimal(38, 0))), 0)"
            ((rows, total),) = rows_of(f"select count(*), {checksum} from {warehouse.prefix}{relation}")
            found[relation] = Fingerprint(rows, int(total), tuple(columns))
    return found


def differences(left: dict[str, Fingerprint], right: dict[str, Fingerprint]) -> dict[str, str]:
    """What differs between the fingerprints of two warehouses, in words by relation; empty when nothing does."""
    found = {}
    for relation in sorted({*left, *right}):
        a, b = left.get(relation), right.get(relation)
        if a is None or b is None:
            found[relation] = f"{relation} exists on one side only"
        elif a.columns != b.columns:
            found[relation] = f"{relation} has other columns: {', '.join(sorted({*a.columns} ^ {*b.columns}))}"
        elif a.rows != b.rows:
            found[relation] = f"{relation} has {a.rows:,} rows on one side and {b.rows:,} on the other"
        elif a != b:
            found[relation] = f"{relation} differs in values"
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
