"""The engines: how to reach each, and what differs between them outside of SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from profiles import snowflake


@dataclass(frozen=True)
class Engine:
    """An engine, as far as it differs from the other outside of SQL.

    Parameters: `dialect`, its name in dbt, SQLAlchemy, sqlglot and ibis; `is_local`: the warehouse is a file on this
    machine, and an unset S3_ENDPOINT_URL means the embedded object store; otherwise the warehouse is a set of schemas
    in an account, and the store AWS; `explain` puts an error of the engine's into one line; `poll_seconds`, how often
    `--follow` looks for new batches: to ask Snowflake starts its compute, which is paid by the minute.
    """

    dialect: str
    is_local: bool
    explain: Callable[[object], str]
    poll_seconds: float


_DUCKDB = Engine("duckdb", is_local=True, explain=str, poll_seconds=0.5)
_SNOWFLAKE = Engine("snowflake", is_local=False, explain=snowflake.explain, poll_seconds=10)
TARGETS = {"dev": _DUCKDB, "prod": _SNOWFLAKE, "ci": _SNOWFLAKE}


def engine(target: str) -> Engine:
    """The engine of a target, an output of profiles.yml."""
    return TARGETS[target]
