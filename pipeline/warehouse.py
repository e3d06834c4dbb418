"""What the pipeline itself asks of a warehouse, on either engine; everything else is dbt's.

A DuckDB file is open in one process at a time, so every question opens and closes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from ingest.manifest import Withdrawal
from ingest.schema import TABLES
from pipeline.runs import Run
from profiles import snowflake, warehouse_file
from profiles.errors import PipelineError

# Tables and columns that a warehouse of an earlier version may lack.
LAYOUT = {("files", "_part"), ("batches", "sha256"), ("withdrawals", "batch_id"), ("runs", "run_id")} | {
    (table.name, column.name) for table in TABLES.values() for column in table.columns
}
OF_A_RUN = ("job", "target", "started_at", "rows_loaded", "tests", "project_version", "git_commit")


@dataclass(frozen=True)
class Build:
    """A completed build: the batch that it brought the marts to, and the version of the dbt project."""

    batch_id: str
    project_version: str


@dataclass(frozen=True)
class State:
    """What a warehouse holds: data set, loaded batches in order, the last completed build, and known withdrawals.

    `loaded`: for the id of each batch, the digest of its manifest. Of an `outdated` one, with the raw tables of an
    earlier version, nothing counts as loaded.
    """

    dataset: str | None = None
    loaded: Mapping[str, str] = field(default_factory=dict)
    last_build: Build | None = None
    withdrawn: frozenset[str] = frozenset()
    outdated: bool = False


@dataclass(frozen=True)
class Warehouse:
    """A warehouse behind a function that connects to it.

    Parameters: `connect`, gives a DB-API connection; `name`, what a person calls the warehouse; `from_hex`, SQL
    that reads `{}` as a hexadecimal number; `explain`, says what is wrong by an error of the engine's own, nothing of
    others; `exists`, whether there is anything to connect to; `prefix`, what stands before the schemas' names.
    """

    connect: Callable[[], Any]
    name: str
    from_hex: str
    explain: Callable[[Exception], str]
    exists: Callable[[], bool] = lambda: True
    prefix: str = ""

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        """A cursor on a connection that is closed at the end."""
        try:
            with closing(self.connect()) as connection:
                yield connection.cursor()
        except Exception as error:
            if explained := self.explain(error):
                raise PipelineError(explained) from None
            raise

    @contextmanager
    def session(self) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
        """A function that gives the rows of a query, for several of them: Snowflake takes a while to sign in."""
        with self.cursor() as cursor:

            def rows(sql: str) -> list[tuple[Any, ...]]:
                cursor.execute(sql)
                return list(cursor.fetchall())

            yield rows

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self.session() as rows:
            return rows(sql)

    def relations(self, *schemas: str) -> list[str]:
        """The tables and views of some schemas, as `schema.name`, in order."""
        listed = ", ".join(f"'{self.prefix}{schema}'" for schema in schemas)
        return [
            f"{schema.removeprefix(self.prefix)}.{name}"
            for schema, name in self.rows(
                "select lower(table_schema), lower(table_name) from information_schema.tables "
                f"where lower(table_schema) in ({listed}) order by 1, 2"
            )
            if not name.endswith("__dbt_tmp")
        ]

    def state(self) -> State:
        """What the warehouse holds; an absent or new one holds nothing."""
        if not self.exists():
            return State()
        raw, ops = f"{self.prefix}raw", f"{self.prefix}ops"
        with self.session() as rows:
            columns = rows(
                "select lower(table_name), lower(column_name) from information_schema.columns "
                f"where lower(table_schema) in ('{raw}', '{ops}')"
            )
            if ("batches", "batch_id") not in columns:
                return State()
            dataset = next((dataset for (dataset,) in rows(f"select max(dataset) from {raw}.batches")), None)
            if not set(columns) >= LAYOUT:
                return State(dataset, outdated=True)
            # That of the newest batch, and not the one with the newest time: a clock may be set back.
            builds = rows(
                f"select batch_id, project_version from {ops}.builds "
                f"where batch_id = (select max(batch_id) from {ops}.builds) order by built_at"
            )
            return State(
                dataset,
                loaded=dict(rows(f"select distinct batch_id, sha256 from {raw}.batches order by batch_id")),
                last_build=Build(*builds[-1]) if builds else None,
                withdrawn=frozenset(batch_id for (batch_id,) in rows(f"select batch_id from {ops}.withdrawals")),
            )

    def complete(self, build: Build, withdrawals: Sequence[Withdrawal], run: Run, built_at: datetime) -> None:
        """Records that every check of a build has passed, what was withdrawn until then, and the run itself."""
        known = self.state().withdrawn
        new = [record for record in withdrawals if record.batch_id not in known]
        rows: dict[str, list[dict[str, Any]]] = {
            "withdrawals": [record.model_dump(include={"batch_id", "reason", "withdrawn_at"}) for record in new],
            "runs": [
                {"run_id": run.id, "seconds": run.elapsed(), "batches": ", ".join(run.batches)}
                | {"findings": len(run.findings), **{name: getattr(run, name) for name in OF_A_RUN}}
            ],
            "run_nodes": [
                {"run_id": run.id, "node": node.name, "kind": node.kind, "status": node.status}
                | {"seconds": node.seconds, "rows_affected": node.rows}
                for node in run.nodes
            ],
            "builds": [asdict(build) | {"built_at": built_at}],
        }
        with self.cursor() as cursor:
            for table, listed in rows.items():
                for start in range(0, len(listed), 5000):  # Snowflake takes 16,384 rows of values
                    values = ", ".join(
                        f"({', '.join(map(_literal, row.values()))})" for row in listed[start : start + 5000]
                    )
                    cursor.execute(f"insert into {self.prefix}ops.{table} ({', '.join(listed[0])}) values {values}")


def _literal(value: str | float | datetime | None) -> str:
    """A value as both engines read it: a backslash means something to one of them only."""
    if isinstance(value, datetime):
        return f"'{value:%Y-%m-%d %H:%M:%S.%f}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''").replace("\\", "' || chr(92) || '") + "'"
    return "null" if value is None else str(value)


def duckdb_warehouse(path: Path, *, read_only: bool = False) -> Warehouse:
    """The DuckDB warehouse in a file; one that another process writes to, or that DuckDB cannot read, is named."""
    # The gate of a run that was killed ends a moment after it.
    in_use = retry_if_exception_type(warehouse_file.InUse)
    waiting = retry(retry=in_use, wait=wait_fixed(0.2), stop=stop_after_delay(5), reraise=True)

    def explain(error: Exception) -> str:
        # A damaged block may show only when it is read.
        damaged = isinstance(error, duckdb.IOException | duckdb.InternalException | duckdb.FatalException)
        return warehouse_file.explain(path, error) if damaged else ""

    connect = waiting(lambda: warehouse_file.connect(path, read_only=read_only))
    return Warehouse(connect, str(path), "cast('0x' || {} as bigint)", explain, path.exists)


def snowflake_warehouse(prefix: str = "") -> Warehouse:
    """The schemas with a prefix of the Snowflake database that the environment names."""

    def explain(error: Exception) -> str:
        of_the_connector = type(error).__module__.startswith("snowflake.connector.")
        return f"{snowflake.address()}: {snowflake.explain(error)}" if of_the_connector else ""

    name = snowflake.address() + (f", schemas {prefix}*" if prefix else "")
    return Warehouse(snowflake.connect, name, "to_number({}, 'XXXXXXXXXXXXX')", explain, prefix=prefix)
