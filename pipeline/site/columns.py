"""Which column is made of which: read from the SQL that dbt compiled, by sqlglot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import networkx as nx
from sqlglot import MappingSchema, exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.lineage import lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

# Where a column decides which rows there are, or their order, and not what they hold.
DECIDING = (exp.Where, exp.Join, exp.Group, exp.Having, exp.Order, exp.Qualify, exp.Window)


class Column(NamedTuple):
    """A column of a relation, such as `marts.dim_movies` and `title`."""

    relation: str
    name: str

    @property
    def in_marts(self) -> bool:
        """Whether it is a column of a mart."""
        return self.relation.startswith("marts.")


@dataclass
class Columns:
    """All columns, each with an edge to those made of it; which ones decide a relation's rows; what was not read."""

    graph: nx.DiGraph = field(default_factory=nx.DiGraph)
    decided_by: dict[str, set[Column]] = field(default_factory=lambda: defaultdict(set))
    unread: list[str] = field(default_factory=list)

    def origins(self, column: Column) -> set[Column]:
        """The columns that a column is made of in the end: those that are made of no other."""
        return {origin for origin in nx.ancestors(self.graph, column) if not self.graph.in_degree(origin)}

    def made_from(self, column: Column) -> set[Column]:
        """All columns that a column goes into, directly or through others."""
        return set(nx.descendants(self.graph, column))

    def rows_decided(self, column: Column) -> set[str]:
        """The relations whose rows a column, or one made from it, decides."""
        through = self.made_from(column) | {column}
        return {relation for relation, deciding in self.decided_by.items() if deciding & through}


def read(manifest: dict[str, Any], catalog: dict[str, Any], dialect: str, prefix: str = "") -> Columns:
    """The columns of every relation that dbt's manifest and catalogue describe; `prefix` is left off the schemas."""
    nodes = manifest["nodes"] | manifest["sources"]
    schema = MappingSchema(dialect=dialect)
    names: dict[str, str] = {}
    columns = Columns()
    for key, found in (catalog["nodes"] | catalog["sources"]).items():
        relation = exp.to_table(nodes[key]["relation_name"], dialect=dialect)
        name = names[_key(relation)] = f"{relation.db.lower().removeprefix(prefix)}.{relation.name.lower()}"
        columns.graph.add_nodes_from(Column(name, column.lower()) for column in found["columns"])
        schema.add_table(relation, {name: column["type"] for name, column in found["columns"].items()})
    for node in manifest["nodes"].values():
        if node["resource_type"] in ("model", "snapshot") and node.get("compiled_code"):
            name = _key(exp.to_table(node["relation_name"], dialect=dialect))
            try:
                _read_one(columns, names[name], node["compiled_code"], schema, names)
            except SqlglotError as error:
                columns.unread.append(f"{names[name]}: {str(error).splitlines()[0]}")
            except KeyError as missing:  # the project has changed since the warehouse was built
                columns.unread.append(f"{name}: {missing} is not in the warehouse yet")
    return columns


def _read_one(columns: Columns, relation: str, sql: str, schema: MappingSchema, names: dict[str, str]) -> None:
    dialect = schema.dialect
    root = build_scope(qualify(parse_one(sql, dialect=dialect), schema=schema, dialect=dialect))
    if root is None or not isinstance(root.expression, exp.Query):
        raise SqlglotError("not a query")

    def origins(scope: Scope, name: str) -> Iterator[Column]:
        """The columns of other relations that a column of a scope is made of."""
        for node in lineage(name, scope.expression, schema, scope=scope, dialect=dialect, copy=False).walk():
            table = node.expression
            if isinstance(table, exp.Table) and table.name and names[_key(table)] != relation:  # a function has no name
                yield Column(names[_key(table)], node.name.rpartition(".")[2].strip('"').lower())

    for name in root.expression.named_selects:
        columns.graph.add_edges_from((origin, Column(relation, name.lower())) for origin in origins(root, name))
    for scope in root.traverse():
        for column in scope.columns:
            source = scope.sources.get(column.table)
            if not source or not column.find_ancestor(*DECIDING):
                continue
            if isinstance(source, Scope):
                columns.decided_by[relation].update(origins(source, column.name))
            elif source.name and names[_key(source)] != relation:
                columns.decided_by[relation].add(Column(names[_key(source)], column.name.lower()))


def _key(table: exp.Table) -> str:
    return f"{table.catalog}.{table.db}.{table.name}".lower()
