"""Asks a warehouse what stands in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from expectations.measure import SCHEMAS, State

Ask = Callable[[str], Sequence[Sequence[Any]]]

_BATCHES = """
    select
        b.table_name,
        max(b.batch_id) as newest,
        max(case when b.mode = 'full' then b.batch_id else '' end) as since,
        max(l.rows_loaded) as loaded
    from {prefix}raw.batches as b
    left join {prefix}raw.load_ledger as l on b.batch_id = l.batch_id and b.table_name = l.table_name
    group by b.table_name
"""
_MODES = """
    select table_name, mode, datediff('second', cast('1970-01-01' as datetime), as_of) + 86400
    from {prefix}raw.batches where batch_id = '{batch}'
"""
_CHANGED = """
    select table_name, min(batch_id) from {prefix}raw.batches
    where batch_id = '{batch}' or batch_id > (select coalesce(max(batch_id), '') from {prefix}ops.builds)
    group by table_name
"""
# Of columns, and not of tables: the emulator's tables have no views among them.
_RELATIONS = """
    select lower(table_schema), lower(table_name) from information_schema.columns
    where lower(table_schema) in ({names}) group by 1, 2
"""


class NothingLoaded(Exception):
    """The warehouse holds no batch: there is nothing to look at."""

    def __init__(self) -> None:
        super().__init__("No batch has been loaded yet: there is nothing to check. `nox -s dev` loads one.")


def state_of(ask: Ask, prefix: str) -> State:
    """The state of a warehouse; `ask` runs a query, `prefix` stands before all schemas.

    Raises NothingLoaded when no batch was loaded.
    """
    prefix = prefix.lower()
    names = ", ".join(f"'{prefix}{schema}'" for schema in SCHEMAS)
    relations = frozenset(
        f"{schema.removeprefix(prefix)}.{name}" for schema, name in ask(_RELATIONS.format(names=names))
    )
    tables = ask(_BATCHES.format(prefix=prefix)) if "raw.batches" in relations else []
    if not tables:
        raise NothingLoaded
    batch_id = max(newest for _, newest, *_ in tables)
    since = {table: since for table, _, since, _ in tables}
    changed = ask(_CHANGED.format(prefix=prefix, batch=batch_id))
    modes = ask(_MODES.format(prefix=prefix, batch=batch_id))
    return State(
        batch_id=batch_id,
        last_second=int(max(second for *_, second in modes)),
        modes={table: mode for table, mode, _ in modes},
        since=since,
        changed={table: max(first, since[table]) for table, first in changed},
        loaded={table: int(loaded or 0) for table, _, _, loaded in tables},
        relations=relations | {"information_schema.columns"},
        prefix=prefix,
    )
