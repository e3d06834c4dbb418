"""Who may do what: the grants that were given, who owns what, and what a statement needs of both.

A role may do what was granted to it, and anything with what it owns. Administrators may do everything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from sqlglot import Expr, exp, parse_one
from sqlglot.errors import SqlglotError

ADMINISTRATORS = frozenset(("", "ACCOUNTADMIN", "SYSADMIN", "SECURITYADMIN", "USERADMIN"))
GRANT = re.compile(
    r"\s*grant\s+(?P<what>.+?)\s+on\s+(?P<scope>all|future)?\s*(?P<kind>(?:file\s+)?\w+)\s+(?:in\s+schema\s+)?"
    r"(?P<name>[\w.]+)(?:\([\w, ]*\))?\s+to\s+role\s+(?P<role>\w+)",
    re.IGNORECASE,
)
GRANT_ROLE = re.compile(r"\s*grant\s+role\s+(\w+)\s+to\s+role\s+(\w+)", re.IGNORECASE)
CLONE = re.compile(r"\s*create\s+(?:transient\s+)?schema\s+([\w.]+)\s+clone\s+([\w.]+)", re.IGNORECASE)
SWAP = re.compile(r"\s*alter\s+schema\s+([\w.]+)\s+swap\s+with\s+([\w.]+)", re.IGNORECASE)
_TARGETED = (
    exp.Insert, exp.Delete, exp.Update, exp.Merge, exp.Copy, exp.Create, exp.Drop, exp.Alter, exp.TruncateTable,
)  # fmt: skip


@dataclass(frozen=True)
class Need:
    """A privilege on an object: `what` (select, create table, usage, ownership …), `kind` and upper-case `name`."""

    what: str
    kind: str
    name: str

    @property
    def schema(self) -> str:
        """The schema that the object lies in, or that it is."""
        return self.name if self.kind == "schema" else self.name.rpartition(".")[0]

    def moved(self, one: str, other: str) -> Need:
        """The same on the object as it is called when two schemas have exchanged their names."""
        return Need(self.what, self.kind, _moved(self.name, one, other))


def needs(sql: str, database: str, warehouse: str = "") -> Iterator[Need]:
    """The privileges that a statement takes: on objects, on the schemas that they lie in, on database and warehouse."""
    if swap := SWAP.match(sql):
        yield from (Need("ownership", "schema", _full(name, database)) for name in swap.groups())
        return
    if clone := CLONE.match(sql):
        yield Need("create schema", "database", database.upper())
        yield Need("usage", "schema", _full(clone[2], database))
        return
    if (tree := parsed(sql)) is None:
        return
    found = list(dict.fromkeys(_on_objects(tree, database)))
    yield from found
    yield from (Need("usage", "schema", each) for each in {need.schema for need in found if need.kind != "database"})
    yield from [Need("usage", "database", database.upper())] if found else []
    if warehouse and isinstance(tree, (exp.Query, exp.DML)):
        yield Need("usage", "warehouse", warehouse)


def _on_objects(tree: Expr, database: str) -> Iterator[Need]:
    made = {each.alias.upper() for each in tree.find_all(exp.CTE)}
    target = tree.find(exp.Table) if isinstance(tree, _TARGETED) else None
    if target is not None and target.db:
        yield from _of_target(tree, _name(target, database), database)
    for table in () if isinstance(tree, (exp.Copy, exp.Grant)) else tree.find_all(exp.Table):
        ours = table is target or not table.name or not table.db or (not table.catalog and table.name.upper() in made)
        if not ours and isinstance(table.this, exp.Identifier) and table.db.upper() != "INFORMATION_SCHEMA":
            yield Need("select", "table", _name(table, database))
    if isinstance(tree, exp.Copy):
        text = tree.sql(dialect="snowflake", comments=False)
        yield from (Need("usage", "stage", found.upper()) for found in re.findall(r"@([\w.]+)", text))
        formats = re.findall(r"format_name\s*=\s*([\w.]+)", text, re.IGNORECASE)
        yield from (Need("usage", "file format", found.upper()) for found in formats)
    for call in tree.find_all(exp.Dot):
        if isinstance(call.expression, exp.Anonymous):
            yield Need("usage", "function", f"{call.this.sql()}.{call.expression.name}".upper())
    if tree.find(exp.Table) and "SCHEMATA" in {table.name.upper() for table in tree.find_all(exp.Table)}:
        named = (
            each.name.upper() for each in tree.find_all(exp.Literal)
        )  # it shows those that a role may use, no other
        yield from (Need("usage", "schema", f"{database.upper()}.{name}") for name in named)


def _of_target(tree: Expr, name: str, database: str) -> Iterator[Need]:
    kind = str(tree.args.get("kind") or "table").lower()
    if isinstance(tree, exp.Create):
        if kind == "schema":
            yield Need("create schema", "database", database.upper())
        elif kind in ("table", "view") and not tree.find(exp.TemporaryProperty):
            yield Need(f"create {kind}", "schema", name.rpartition(".")[0])
    elif isinstance(tree, (exp.Drop, exp.Alter)):
        yield Need("ownership", "schema" if kind == "schema" else "table", name)
    elif isinstance(tree, exp.Merge):
        kinds = {exp.Insert: "insert", exp.Update: "update"}
        done = {kinds.get(type(when.args["then"]), "delete") for when in tree.args["whens"].expressions}
        yield from (Need(what, "table", name) for what in ("select", *sorted(done)))
    else:
        verbs = {exp.Delete: "delete", exp.Update: "update", exp.TruncateTable: "truncate"}
        yield Need(verbs.get(type(tree), "insert"), "table", name)
        if tree.args.get("where"):
            yield Need("select", "table", name)


def _name(table: exp.Table, database: str) -> str:
    parts = (table.catalog or database, table.db, table.name)
    return ".".join(part.upper() for part in parts if part)


def _full(name: str, database: str) -> str:
    return name.upper() if "." in name else f"{database}.{name}".upper()


def _moved(name: str, one: str, other: str) -> str:
    for before, after in ((one, other), (other, one)):
        if name == before or name.startswith(f"{before}."):
            return after + name[len(before) :]
    return name


@dataclass
class Privileges:
    """The grants of an account and who owns what, from the statements that it was sent."""

    database: str
    grants: set[tuple[str, Need]] = field(default_factory=set)
    owners: dict[str, str] = field(default_factory=dict)
    views: set[str] = field(default_factory=set)
    inherited: dict[str, set[str]] = field(default_factory=dict)

    def missing(self, role: str, sql: str, warehouse: str = "") -> Need | None:
        """The first privilege that a role lacks for a statement in a session; None when it has all."""
        if role in ADMINISTRATORS:
            return None
        return next((need for need in needs(sql, self.database, warehouse) if not self.allows(role, need)), None)

    def allows(self, role: str, need: Need) -> bool:
        """Whether a role has a privilege by a grant, or because it owns the object or, of a schema, all of it."""
        if need.name not in self.owners and need.kind in ("table", "schema"):
            return True  # what is not there is another error
        if self.owners.get(need.name) == role:
            return True
        everywhere = Need(need.what, "views" if need.name in self.views else f"{need.kind}s", need.schema)
        own = (role, need) in self.grants or (role, everywhere) in self.grants
        return own or any(self.allows(other, need) for other in self.inherited.get(role, ()))

    def note(self, role: str, sql: str) -> None:
        """Take in what a statement grants, makes, moves and drops."""
        if found := GRANT_ROLE.match(sql):
            self.inherited.setdefault(found[2].upper(), set()).add(found[1].upper())
        elif found := GRANT.match(sql):
            self._grant(found)
        elif found := SWAP.match(sql):
            one, other = (_full(name, self.database) for name in found.groups())
            self.owners = {_moved(name, one, other): owner for name, owner in self.owners.items()}
            self.grants = {(role, need.moved(one, other)) for role, need in self.grants}
        elif found := CLONE.match(sql):
            clone, source = (_full(name, self.database) for name in found.groups())
            below = [name for name in self.owners if name.startswith(f"{source}.")]
            self.owners |= {clone: role, **{_moved(name, source, clone): role for name in below}}
            # A clone has the grants on what is in it, and none of those on the schema itself, its future ones included.
            within = {(each, need) for each, need in self.grants if need.name.startswith(f"{source}.")}
            within |= {
                (each, Need(need.what, "table", name))
                for each, need in self.grants
                for name in below
                if need.kind == "tables" and need.name == source
            }
            self.grants |= {(each, need.moved(source, clone)) for each, need in within}
        elif tree := parsed(sql):
            self._make(role, tree)

    def replay(self, record: Path) -> None:
        """Take in what an earlier server was sent, whose databases are there still."""
        for line in record.read_text(encoding="utf-8").splitlines() if record.exists() else ():
            sent = json.loads(line)
            if re.match(r"\s*(create|drop|grant|alter\s+schema)\b", sent["sql"], re.IGNORECASE):
                self.note(sent["role"], sent["sql"])

    def _grant(self, found: re.Match[str]) -> None:
        kind = " ".join(found["kind"].lower().split())
        role = found["role"].upper()
        name = (
            found["name"].upper()
            if kind in ("database", "warehouse", "integration")
            else _full(found["name"], self.database)
        )
        for what in (each.strip().lower() for each in found["what"].split(",")):
            if what == "ownership":
                self.owners[name] = role
            elif (found["scope"] or "").lower() == "all":
                below = [each for each in self.owners if each.startswith(f"{name}.")]
                of_kind = [each for each in below if (each in self.views) == (kind == "views")]
                self.grants |= {(role, Need(what, "table", each)) for each in of_kind}
            else:
                self.grants.add((role, Need(what, kind, name)))

    def _make(self, role: str, tree: Expr) -> None:
        found = tree.find(exp.Table) if isinstance(tree, (exp.Create, exp.Drop)) else None
        if found is None or not found.db or str(tree.args.get("kind")).lower() not in ("table", "view", "schema"):
            return
        name = _name(found, self.database)
        if isinstance(tree, exp.Drop):
            self.owners = {each: owner for each, owner in self.owners.items() if _moved(each, name, "") == each}
            self.grants = {(each, need) for each, need in self.grants if _moved(need.name, name, "") == need.name}
        else:
            self.owners.setdefault(name, role)
            self.views |= {name} if tree.kind == "VIEW" else set()


@lru_cache(100)
def parsed(sql: str) -> Expr | None:
    """The tree of a statement; None for one that sqlglot does not know."""
    try:
        return parse_one(sql, read="snowflake")
    except SqlglotError:
        return None
