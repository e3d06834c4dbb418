"""Great Expectations on DuckDB: the one weakness that has to be bridged.

GX runs a statement, gives the connection back, and only then fetches the rows. DuckDB's driver keeps the rows of a
result in the connection and has none left by then, so every metric fails with "list index out of range". The cure
touches no internals of GX: SQLAlchemy lets a listener read all rows as soon as a statement has run, and hand them
over from memory. Results are small here: a suite returns some rows, never a table.

`tests/pipeline/test_expectations.py` runs GX without the shim and fails as soon as that works: then this file can go.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy


def _read_all_rows(connection: Any, cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
    if connection.dialect.name == "duckdb":
        context.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(cursor, initial_buffer=cursor.fetchall())


def install() -> None:
    """Applies the shim to all DuckDB engines of the process; more than once is no harm."""
    if not event.contains(Engine, "after_cursor_execute", _read_all_rows):
        event.listen(Engine, "after_cursor_execute", _read_all_rows)


def remove() -> None:
    """Takes the shim away."""
    if event.contains(Engine, "after_cursor_execute", _read_all_rows):
        event.remove(Engine, "after_cursor_execute", _read_all_rows)
