"""The findings of a diff as Markdown, from which the terminal and the page are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import networkx as nx
from markdown_it import MarkdownIt
from markupsafe import Markup

from pipeline.dbt import BUILT, TESTS
from pipeline.diff.build import Side
from pipeline.diff.compare import Relation
from pipeline.templates import render


@dataclass(frozen=True)
class Diff:
    """What a change does: `nodes` that differ, each with those downstream of it, relations, and tests by outcome."""

    base: str
    relations: list[Relation]
    nodes: dict[str, list[str]]
    tests: dict[str, list[str]]

    @property
    def changed(self) -> list[Relation]:
        """The relations that differ."""
        return [relation for relation in self.relations if relation.status != "same"]

    def markdown(self) -> str:
        """For a pull request, and for a terminal."""
        return render("diff/diff.md", diff=self)

    def html(self) -> str:
        """The same as a page of its own, readable offline."""
        content = MarkdownIt("commonmark", {"html": False}).enable("table").render(self.markdown())
        return render("diff/diff.html", content=Markup(content))  # noqa: S704 - escaped by it


def diff(base_name: str, base: Side, head: Side, differing: set[str], relations: list[Relation]) -> Diff:
    """Puts the findings together, with what the two manifests say."""
    before, after = _all(base.manifest), _all(head.manifest)
    nodes: dict[str, list[str]] = {}
    tests: dict[str, list[str]] = {}
    for name in sorted({name for name in differing if name in before} | (before.keys() ^ after.keys())):
        node, kind = {**before, **after}[name], name.partition(".")[0]
        if kind in BUILT:
            nodes[node["name"]] = _downstream((head if name in after else base).manifest, name)
        elif kind in TESTS:
            what = "added" if name not in before else "removed" if name not in after else "changed"
            tests.setdefault(what, []).append(node["name"])
    return Diff(base_name, relations, nodes, tests)


def keys(*sides: Side) -> dict[str, list[tuple[str, ...]]]:
    """What may identify a row of each relation: columns that a test holds unique, a snapshot's version, or its key."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for side in sides:
        for name, relation in side.relations.items():
            node = side.manifest["nodes"][name]
            key = "version_id" if node["resource_type"] == "snapshot" else node["config"].get("unique_key")
            if key:
                found.setdefault(relation, []).append(tuple([key] if isinstance(key, str) else key))
        for node in side.manifest["nodes"].values():
            test, of = node.get("test_metadata"), side.relations.get(node.get("attached_node") or "")
            if not test or not of:
                continue
            arguments = test["kwargs"] | test["kwargs"].get("arguments", {})
            if test["name"] == "unique_combination_of_columns":
                found.setdefault(of, []).append(tuple(arguments["combination_of_columns"]))
            elif test["name"] == "unique":
                found.setdefault(of, []).append((arguments["column_name"],))
    return found


def _all(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {**manifest["nodes"], **manifest["unit_tests"]}


def _downstream(manifest: dict[str, Any], name: str) -> list[str]:
    found = nx.descendants(nx.DiGraph(manifest["child_map"]), name)
    return sorted(child.rpartition(".")[2] for child in found if child.partition(".")[0] in BUILT | {"exposure"})
