"""A Snowflake database is published by schema: a run builds in zero-copy clones, and swaps them in once judged.

What a clone and a swap do to privileges, by Snowflake's documentation
(docs.snowflake.com/en/user-guide/object-clone, …/sql-reference/sql/alter-schema):
- a cloned schema has the privileges granted on the tables in it, and none of those granted on the schema itself, its
  future grants included; only a role with MANAGE GRANTS could set those again;
- a swap exchanges two names in one statement, and privileges stay with what they were granted on; it needs the
  ownership of both schemas.
Hence each clone is granted to the readers before it is swapped in: usage, and select on all that is in it. Raw and ops
are cloned by the loader, which owns them and lets the transformer use them, all else by the transformer. Stage, file
format and function are in a schema of their own, which is not cloned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

# In the order in which they are swapped. Marts are one statement: nobody sees half a star. Staging are views of the
# schemas beside them by name, so they are not cloned but made again. Ops comes last: it says what is published.
SCHEMAS = {
    "raw": "loader",
    "seeds": "transformer",
    "intermediate": "transformer",
    "quality": "transformer",
    "snapshots": "transformer",
    "marts": "transformer",
    "ops": "loader",
}
PERMANENT = {"snapshots", "marts"}
BUILD = "build_"
# Stands in a published schema that is about to be replaced, and so, once it is swapped, in the clone.
MARK = "to_be_replaced__dbt_tmp"


def _create(schema: str) -> str:
    # As the bootstrap makes them: what can be built again has no fail-safe to pay for.
    return f"create {'' if schema.split()[0].removeprefix(BUILD) in PERMANENT else 'transient '}schema {schema}"


# Ops is the last one: with the mark in it, it tells that all were swapped.
_DROP = [
    (role, f"drop schema if exists {BUILD}{name}") for name, role in ({"staging": "transformer"} | SCHEMAS).items()
]


class WarehouseSchemas:
    """The published schemas and the clones of them, which have a prefix.

    Parameters: `cursor`, opens one on a new session; `database`, which roles are named after; `make_views`, makes the
    staging views over the schemas with a prefix.
    """

    def __init__(
        self, cursor: Callable[[], AbstractContextManager[Any]], database: str, make_views: Callable[[str], None]
    ) -> None:
        self._cursor, self._database, self._make_views = cursor, database, make_views

    def check(self) -> None:
        """Ends a publication that was interrupted: all schemas are swapped once all were marked, or else none is."""
        marked = {schema for schema, tables in self._tables().items() if MARK in tables}
        if {"ops", f"{BUILD}ops"} & marked:
            self._swap(marked)
        elif marked:
            self._run((role, f"drop table if exists {name}.{MARK}") for name, role in SCHEMAS.items())

    def begin(self, *, empty: bool = False) -> None:
        """Clones what is published; with `empty`, makes schemas without anything in them."""
        self.check()
        there = self._tables()
        clones = {name: role for name, role in SCHEMAS.items() if name in there}
        made = [(role, _create(f"{BUILD}{name}{'' if empty else f' clone {name}'}")) for name, role in clones.items()]
        usable = [
            (role, f"grant usage on schema {BUILD}{name} to role {self._database}_transformer")
            for name, role in clones.items()
            if role == "loader"  # the transformer reads what is the loader's
        ]
        self._run([*_DROP, *made, *usable])
        if clones and not empty:
            self._make_views(BUILD)  # an increment makes only those of the tables that a batch brought

    def publish(self) -> None:
        """Grants the clones to the readers, then swaps them in; what was published is dropped."""
        there = self._tables()
        built = {name: role for name, role in SCHEMAS.items() if f"{BUILD}{name}" in there}
        granted = [
            (role, f"grant {what} {BUILD}{name} to role {self._database}_reader")
            for name, role in built.items()
            for what in ("usage on schema", "select on all tables in schema")
        ]
        missing = [(role, _create(name)) for name, role in built.items() if name not in there]
        # The transformer's first, ops last: information_schema shows a role only what it has a privilege on.
        marked = [
            (role, statement)
            for name, role in sorted(built.items(), key=lambda each: each[1] == "loader")
            for statement in (
                f"create table if not exists {name}.{MARK} (swapped boolean)",
                f"grant select on table {name}.{MARK} to role {self._database}_transformer",
            )
        ]
        self._run([*granted, *missing, *marked])
        self._swap(set(built))

    def _swap(self, marked: set[str]) -> None:
        swaps = [(name, role) for name, role in SCHEMAS.items() if name in marked]
        self._run((role, f"alter schema {name} swap with {BUILD}{name}") for name, role in swaps if name != "ops")
        self._make_views("")
        self._run((role, f"alter schema {name} swap with {BUILD}{name}") for name, role in swaps if name == "ops")
        self._run(_DROP)

    def _run(self, statements: Iterable[tuple[str, str]]) -> None:
        """Executes statements, each as its role."""
        acting = ""
        with self._cursor() as cursor:
            for role, statement in statements:
                if role != acting:
                    cursor.execute(f"use role {self._database}_{role}")
                    acting = role
                cursor.execute(statement)

    def _tables(self) -> dict[str, set[str]]:
        """The tables of each schema that is there, clones included."""
        names = ", ".join(f"'{prefix}{schema}'" for schema in SCHEMAS for prefix in ("", BUILD))
        found: dict[str, set[str]] = {}
        with self._cursor() as cursor:
            cursor.execute(
                f"select lower(schema_name) from information_schema.schemata where lower(schema_name) in ({names})"
            )
            found = {schema: set() for (schema,) in cursor.fetchall()}
            cursor.execute(
                "select lower(table_schema), lower(table_name) from information_schema.tables "
                f"where lower(table_schema) in ({names})"
            )
            for schema, table in cursor.fetchall():
                found[schema].add(table)
        return found
