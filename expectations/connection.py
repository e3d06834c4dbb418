"""Where a target's warehouse is, for Great Expectations: the engines of `profiles/` behind SQLAlchemy."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy

from expectations.checks import SCHEMAS
from ingest.settings import Settings
from profiles import engine, snowflake, warehouse_file


@dataclass(frozen=True)
class Warehouse:
    """DuckDB, in the `file` of the warehouse; without one, Snowflake."""

    file: Path | None = None

    @property
    def url(self) -> str:
        """What names the dialect to SQLAlchemy, and nothing else."""
        return "duckdb://" if self.file else "snowflake://user@organisation-account"

    def connect(self) -> Any:
        """A DB-API connection that only reads; raises `PipelineError` saying what is wrong and how to mend it."""
        if self.file:
            from duckdb_engine import ConnectionWrapper  # which is not there on Snowflake's side

            return ConnectionWrapper(warehouse_file.connect(self.file))
        connection = snowflake.connect()
        # SQLAlchemy rolls back after each query, which costs a round trip; nothing is written here.
        connection.rollback = lambda: None
        return connection

    def named(self, sql: str, batch: int | None = None) -> str:
        """SQL with its schemas, written `{marts}`, and the number of a batch filled in."""
        prefix = os.environ.get("MOVIELENS_SCHEMA_PREFIX", "")
        for schema in SCHEMAS:
            own = os.environ.get("MOVIELENS_RAW_PREFIX", prefix) if schema == "raw" else prefix
            sql = sql.replace(f"{{{schema}}}", f"{own}{schema}")
        return sql if batch is None else sql.replace("{batch}", str(batch))


def results_of(target: str) -> Path:
    """The folder of what the gate of a target found last."""
    return Settings.read().data_dir / "expectations" / target


def warehouse_of(target: str) -> Warehouse:
    """The warehouse of a target as the environment names it."""
    return Warehouse(Settings.read().warehouse if engine(target).is_local else None)


# DuckDB's driver keeps the rows of a result in the connection, which Great Expectations gives back before it fetches
# them ("list index out of range"). So they are read as soon as a statement has run, and handed over from memory:
# results are small here. A test fails when this is needed no longer.
@event.listens_for(Engine, "after_cursor_execute")
def read_all_rows(connection: Any, cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
    """Hands the rows of a DuckDB statement over from memory."""
    if connection.dialect.name == "duckdb":
        context.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(cursor, initial_buffer=cursor.fetchall())
