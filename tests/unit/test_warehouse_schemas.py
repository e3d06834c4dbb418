"""A run's schemas take the place of the published ones as one, whatever statement it is killed at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pipeline import bootstrap
from profiles.warehouse_schemas import BUILD, MARK, PERMANENT, SCHEMAS, WarehouseSchemas

Row = tuple[str, ...]
USAGE = "usage on schema"


class KilledError(Exception):
    """The process is gone."""


class Account:
    """Schemas with an owner, a content, tables and grants; what a role may not do fails as it would."""

    def __init__(self) -> None:
        self.schemas: dict[str, dict[str, Any]] = {
            name: {"owner": f"db_{role}", "content": "old", "tables": {"t"}, "grants": {"db_transformer": {USAGE}}}
            for name, role in SCHEMAS.items()
        }
        self.views = "old"
        self.dropped: dict[str, dict[str, Any]] = {}
        self.role, self.kill_at, self.statements = "", 0, 0
        self.rows: list[Row] = []

    @contextmanager
    def cursor(self) -> Iterator[Account]:
        """A session without a role."""
        self.role = ""
        yield self

    def execute(self, sql: str) -> None:
        """One statement, unless it is the one to be killed before."""
        self.statements += 1
        if self.statements == self.kill_at:
            raise KilledError
        for pattern, do in self.DOES.items():
            if found := re.fullmatch(pattern, sql, re.IGNORECASE):
                do(self, *found.groups())
                return
        raise AssertionError(sql)

    def fetchall(self) -> list[Row]:
        """The rows of the last query."""
        return self.rows

    def make_views(self, prefix: str) -> None:
        """Views show what is under their names, if the transformer may use it."""
        assert all(USAGE in self.schemas[prefix + name]["grants"].get("db_transformer", ()) for name in ("raw", "ops"))
        content = self.schemas[f"{prefix}raw"]["content"]
        if prefix:
            self.schemas[f"{prefix}staging"] = {"owner": "db_transformer", "tables": set(), "grants": {}}
        else:
            self.views = content

    def use(self, role: str) -> None:
        self.role = role

    def owned(self, schema: str) -> dict[str, Any]:
        inherits = self.role == "sysadmin"  # both owners' roles
        assert inherits or self.schemas[schema]["owner"] == self.role, f"{self.role} does not own {schema}"
        return self.schemas[schema]

    def clone(self, made: str, source: str) -> None:
        assert made not in self.schemas
        found = self.owned(source)
        self.schemas[made] = {**found, "tables": set(found["tables"]), "grants": {}}

    def create_schema(self, made: str) -> None:
        assert made not in self.schemas
        self.schemas[made] = {"owner": self.role, "content": "old", "tables": set(), "grants": {}}

    def swap(self, one: str, other: str) -> None:
        self.owned(one), self.owned(other)
        self.schemas[one], self.schemas[other] = self.schemas[other], self.schemas[one]

    def drop(self, schema: str) -> None:
        if schema in self.schemas:
            self.dropped[schema] = self.owned(schema)
            del self.schemas[schema]

    def undrop(self, schema: str) -> None:
        assert schema not in self.schemas
        self.schemas[schema] = self.dropped.pop(schema)
        self.owned(schema)

    def rename(self, schema: str, name: str) -> None:
        self.schemas[name] = self.owned(schema)
        del self.schemas[schema]

    def create(self, schema: str, table: str) -> None:
        self.owned(schema)["tables"].add(table)
        self.owned(schema)["hidden"] = {table} if self.role != "db_transformer" else set()

    def show(self, schema: str, table: str, role: str) -> None:
        assert role == "db_transformer"
        self.owned(schema)["hidden"].discard(table)

    def drop_table(self, if_exists: str | None, schema: str, table: str) -> None:
        assert if_exists or table in self.schemas[schema]["tables"]
        self.owned(schema)["tables"].discard(table)

    def grant(self, what: str, schema: str, role: str) -> None:
        self.owned(schema)["grants"].setdefault(role, set()).add(what)

    def names(self) -> None:
        self.rows = [(name,) for name in self.schemas]

    def tables(self) -> None:
        assert not self.role  # that of the session, the transformer: it sees what it has a privilege on
        seen = {name: schema["tables"] - schema.get("hidden", set()) for name, schema in self.schemas.items()}
        self.rows = [(name, table) for name, tables in seen.items() for table in tables]

    DOES: ClassVar[dict[str, Any]] = {
        r"use role (\w+)": use,
        r"create (?:transient )?schema (\w+) clone (\w+)": clone,
        r"create (?:transient )?schema (\w+)": create_schema,
        r"alter schema (\w+) swap with (\w+)": swap,
        r"drop schema if exists (\w+)": drop,
        r"create table if not exists (\w+)\.(\w+) \(swapped boolean\)": create,
        r"undrop schema (\w+)": undrop,
        r"alter schema (\w+) rename to (\w+)": rename,
        r"drop table (if exists )?(\w+)\.(\w+)": drop_table,
        r"grant select on table (\w+)\.(\w+) to role (\w+)": show,
        r"grant (usage on schema|select on all tables in schema) (\w+) to role (\w+)": grant,
        r"select lower\(schema_name\) from information_schema\.schemata .*": names,
        r"select lower\(table_schema\), lower\(table_name\) from information_schema\.tables .*": tables,
    }

    def published(self) -> set[str]:
        """What is in the published schemas and the views on them."""
        return {self.schemas[name]["content"] for name in SCHEMAS} | {self.views}

    def build(self) -> None:
        """What a run makes in its clones."""
        for name in SCHEMAS:
            self.schemas[BUILD + name]["content"] = "new"
        self.schemas[f"{BUILD}staging"] = {"owner": "db_transformer", "tables": set(), "grants": {}}


def publication(account: Account) -> WarehouseSchemas:
    return WarehouseSchemas(account.cursor, "db", account.make_views)


def run(account: Account) -> None:
    schemas = publication(account)
    schemas.begin()
    account.build()
    schemas.publish()


def statements_of_a_run() -> int:
    account = Account()
    run(account)
    assert account.published() == {"new"}
    assert set(account.schemas) == set(SCHEMAS)
    return account.statements


def test_what_is_published_after_a_run_holds_the_new_and_the_grants_of_its_readers() -> None:
    account = Account()
    run(account)
    assert account.published() == {"new"}
    for name in SCHEMAS:
        readers = {role for role, grants in account.schemas[name]["grants"].items() if len(grants) == 2}
        assert readers == {"db_reader"}
        assert account.schemas[name]["tables"] == {"t"}


def test_marts_are_swapped_in_one_statement_after_their_readers_may_read_them() -> None:
    account, seen = Account(), []
    swap = Account.DOES[r"alter schema (\w+) swap with (\w+)"]

    def seeing(self: Account, one: str, other: str) -> None:
        if one == "marts":
            seen.append(set(self.schemas[other]["grants"]))
        swap(self, one, other)

    account.DOES = {**Account.DOES, r"alter schema (\w+) swap with (\w+)": seeing}  # type: ignore[misc]
    run(account)
    assert seen == [{"db_reader"}]


@pytest.mark.parametrize("number", range(1, statements_of_a_run() + 1))
def test_a_kill_before_any_statement_is_made_good_by_the_next_run(number: int) -> None:
    account = Account()
    account.kill_at = number
    with pytest.raises(KilledError):
        run(account)
    account.kill_at = 0
    publication(account).check()
    assert len(account.published()) == 1
    assert not any(MARK in schema["tables"] for schema in account.schemas.values())
    run(account)
    assert account.published() == {"new"}
    assert set(account.schemas) == set(SCHEMAS)


def by_hand(account: Account, schema: str) -> None:
    """What docs/production.md writes for marts, done for a schema."""
    page = (Path(__file__).parents[2] / "docs/production.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```sql\n(use role sysadmin;\n.*?)```", page, re.DOTALL)
    for statement in shown.replace("marts", schema).split(";\n"):
        if statement and not re.match("use database|show", statement):
            account.execute(statement)


def test_the_statements_of_the_documentation_bring_back_what_was_published_before() -> None:
    account = Account()
    run(account)
    account.schemas[f"{BUILD}marts"] = {"owner": "db_transformer", "tables": {"t"}, "grants": {}}  # a run failed since
    account.use("db_transformer")
    account.rename(f"{BUILD}marts", "failed_marts")
    for name in SCHEMAS:
        by_hand(account, name)
    account.make_views("")
    assert account.published() == {"old"}
    publication(account).check()
    assert account.published() == {"old"}
    run(account)
    assert account.published() == {"new"}


def test_a_mark_that_is_left_by_hand_is_taken_for_an_interrupted_publication() -> None:
    account = Account()
    run(account)
    account.use("sysadmin")
    for name in SCHEMAS:
        account.undrop(BUILD + name)
        account.swap(name, BUILD + name)
    publication(account).check()
    assert account.published() == {"new"}  # swapped once more, as docs/production.md warns


def test_a_schema_that_the_account_does_not_have_yet_is_published_too() -> None:
    account = Account()
    del account.schemas["quality"]
    schemas = publication(account)
    schemas.begin()
    account.use("db_transformer")
    account.create_schema(f"{BUILD}quality")
    account.build()
    schemas.publish()
    assert account.published() == {"new"}


def test_schemas_are_permanent_where_the_bootstrap_makes_them_so() -> None:
    made = bootstrap.plan({}).statements
    for name in bootstrap.SCHEMAS:
        kind = "schema" if name in PERMANENT else "transient schema"
        assert f"create {kind} if not exists MOVIELENS.{name}" in made
