"""The marts, opened read-only on either target, as ibis tables: the engine computes, a notebook gets the answer.

`MOVIELENS_TARGET` chooses: `dev` (the default), DuckDB in `$MOVIELENS_WAREHOUSE`, else in
`$MOVIELENS_DATA_DIR/warehouse.duckdb`; `prod`, Snowflake by the SNOWFLAKE_* names of profiles/profiles.yml.
`MOVIELENS_SCHEMA_PREFIX` goes before the schemas, as in the build.
"""

from __future__ import annotations

import os
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import ibis

from ingest.settings import Settings
from profiles import engine, snowflake, warehouse_file
from profiles.errors import PipelineError

if TYPE_CHECKING:
    from ibis.backends.sql import SQLBackend
    from ibis.expr.types import Table

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Marts:
    """An open warehouse.

    Parameters: `backend`, ibis's connection; `name`, what a person calls the warehouse.
    """

    backend: SQLBackend
    name: str

    def __repr__(self) -> str:
        return f"MovieLens marts in {self.name}"

    def table(self, name: str, schema: str = "marts") -> Table:
        """A relation as an ibis table, the same on both engines: lower-case columns, decimals as floats.

        Parameters: `name` of the relation, for example `dim_movies`; `schema`, `raw`, `snapshots`, … without prefix.
        """
        found = self.backend.table(self._case(name), database=self._case(_prefixed(schema)))
        return found.select(
            **{
                name.lower(): found[name].cast("float64") if found[name].type().is_decimal() else found[name]
                for name in found.columns
            }
        )

    def counts(self, *schemas: str) -> dict[tuple[str, str], int]:
        """The rows of every relation of some schemas, by schema and name."""
        relations = [(schema, name) for schema in schemas for name in self.relations(schema)]
        return {(schema, name): int(self.table(name, schema).count().to_pandas()) for schema, name in relations}

    def relations(self, schema: str = "marts") -> list[str]:
        """The names of a schema's tables and views; none where there is no such schema."""
        if self._case(_prefixed(schema)) not in self.backend.list_databases():
            return []
        return sorted(name.lower() for name in self.backend.list_tables(database=self._case(_prefixed(schema))))

    def close(self) -> None:
        """Let go of the warehouse: DuckDB's file is open in one process at a time when it is being built."""
        self.backend.disconnect()

    def _case(self, name: str) -> str:
        return name.upper() if self.backend.name == "snowflake" else name


def connect() -> Marts:
    """Open the marts of the target that the environment names; raises `PipelineError` when there are none."""
    with chdir(ROOT):  # an editor opens a notebook in its own folder: the default is in the repository's
        settings = Settings.read()
    if engine(settings.target).is_local:
        connection = warehouse_file.connect(settings.warehouse)
        marts = Marts(ibis.duckdb.from_connection(connection), str(settings.warehouse))
    else:
        marts = _snowflake()
    if not marts.relations():
        marts.close()
        raise PipelineError(f"{marts.name} has no marts yet: run `nox -s {settings.target}` first.")
    return marts


def _snowflake() -> Marts:
    try:
        connection = snowflake.connect(snowflake.role("reporter"))
    except ImportError:
        raise PipelineError(
            "this environment has no Snowflake connector: open the notebooks with `MOVIELENS_TARGET=prod nox -s lab`."
        ) from None
    return Marts(ibis.snowflake.from_connection(connection, create_object_udfs=False), snowflake.address())


def _prefixed(schema: str) -> str:
    return os.environ.get("MOVIELENS_SCHEMA_PREFIX", "") + schema
