"""Cloned and swapped schemas: DuckDB has neither, so tables are copied; a swap is still one transaction for readers."""

from __future__ import annotations

import re

import duckdb

CLONE = re.compile(r"\s*create\s+(?:transient\s+)?schema\s+(\S+)\s+clone\s+(\S+?);?\s*$", re.IGNORECASE)
SWAP = re.compile(r"\s*alter\s+schema\s+(\S+)\s+swap\s+with\s+(\S+?);?\s*$", re.IGNORECASE)
DONE = "select 'Statement executed successfully.' as \"status\""
# What fakesnow keeps of a column beside DuckDB: the length of a text.
_EXTENDED = "_fs_global._fs_information_schema._fs_columns_ext"


def performed(command: str, connection: duckdb.DuckDBPyConnection, database: str) -> bool:
    """Clones or swaps schemas, if that is what the statement says."""
    if found := CLONE.match(command):
        made, source = map(_name, found.groups())
        with _transaction(connection):
            _copy(connection, database, source, made)
        _copy_lengths(connection, database, {source: made})
        return True
    if found := SWAP.match(command):
        one, other = map(_name, found.groups())
        with _transaction(connection):
            for source in (one, other):
                _copy(connection, database, source, f"{source}_SWAPPED")
        with _transaction(connection):  # the step that others see
            for source, made in ((one, other), (other, one)):
                connection.execute(f'drop schema {database}."{made}" cascade')
                _copy(connection, database, f"{source}_SWAPPED", made)
        for source in (one, other):
            connection.execute(f'drop schema {database}."{source}_SWAPPED" cascade')
        _copy_lengths(connection, database, {one: other, other: one})
        return True
    return False


class _transaction:
    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def __enter__(self) -> None:
        self.connection.begin()

    def __exit__(self, kind: object, *_: object) -> None:
        (self.connection.rollback if kind else self.connection.commit)()


def _name(qualified: str) -> str:
    return qualified.rpartition(".")[2].strip('"').upper()


def _copy(connection: duckdb.DuckDBPyConnection, database: str, source: str, made: str) -> None:
    connection.execute(f'create schema if not exists {database}."{made}"')
    tables = connection.execute(
        "select table_name, sql from duckdb_tables() where upper(database_name) = ? and upper(schema_name) = ?",
        [database.upper(), source],
    ).fetchall()
    for name, sql in tables:
        columns = sql[sql.index("(") :]
        connection.execute(f'create table {database}."{made}"."{name}" {columns}')
        connection.execute(f'insert into {database}."{made}"."{name}" from {database}."{source}"."{name}"')


def _copy_lengths(connection: duckdb.DuckDBPyConnection, database: str, names: dict[str, str]) -> None:
    rows = connection.execute(
        f"select * from {_EXTENDED} where upper(ext_table_catalog) = ? and upper(ext_table_schema) in "
        f"({', '.join('?' for _ in names)})",
        [database.upper(), *names],
    ).fetchall()
    connection.execute(
        f"delete from {_EXTENDED} where upper(ext_table_catalog) = ? and upper(ext_table_schema) in "
        f"({', '.join('?' for _ in names)})",
        [database.upper(), *names.values()],
    )
    for catalog, schema, *rest in rows:
        connection.execute(
            f"insert into {_EXTENDED} values (?, ?, {', '.join('?' for _ in rest)})",
            [catalog, names[schema.upper()], *rest],
        )
