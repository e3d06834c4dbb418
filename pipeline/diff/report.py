"""The findings of a diff as text, Markdown and HTML."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from pipeline.diff.build import BUILT, Side
from pipeline.diff.compare import Relation

TEMPLATES = Path(__file__).parent
TESTS = {"test", "unit_test"}
UNCHANGED = "No relation, column or row differs."


@dataclass(frozen=True)
class Diff:
    """What a change does: `nodes` that differ with those downstream of each, relations, and tests by what became of them."""

    base: str
    relations: list[Relation]
    nodes: dict[str, list[str]]
    tests: dict[str, list[str]]

    @property
    def changed(self) -> list[Relation]:
        """The relations that differ."""
        return [relation for relation in self.relations if relation.status != "same"]

    def markdown(self) -> str:
        """For a pull request."""
        return self._rendered("diff.md.j2")

    def html(self) -> str:
        """A page of its own, readable offline."""
        return self._rendered("diff.html.j2")

    def _rendered(self, name: str) -> str:
        engine = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES),
            autoescape=name.endswith(".html.j2"),
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        engine.filters["cell"] = _cell
        return engine.get_template(name).render(diff=self, unchanged=UNCHANGED)


def diff(base_name: str, base: Side, head: Side, differing: set[str], relations: list[Relation]) -> Diff:
    """Puts the findings together, with what the two manifests say."""
    before, after = _all(base.manifest), _all(head.manifest)
    changed = {name for name in differing if name in before} | (before.keys() ^ after.keys())
    nodes = {
        after.get(name, before.get(name, {}))["name"]: _downstream(
            head.manifest if name in after else base.manifest, name
        )
        for name in sorted(changed)
        if _kind(name) in BUILT
    }
    tests: dict[str, list[str]] = {}
    for name in sorted(changed):
        if _kind(name) in TESTS:
            what = "added" if name not in before else "removed" if name not in after else "changed"
            tests.setdefault(what, []).append(after.get(name, before.get(name, {}))["name"])
    return Diff(base_name, relations, nodes, tests)


def relation_names(side: Side) -> set[str]:
    """The relations that a project builds, as `schema.name`."""
    return {
        f"{node['schema']}.{node['alias']}"
        for node in side.manifest["nodes"].values()
        if node["resource_type"] in BUILT
    }


def keys(side: Side) -> dict[str, list[tuple[str, ...]]]:
    """What may identify a row of each relation: columns that a test holds unique, a snapshot's version, or its key."""
    found: dict[str, list[tuple[str, ...]]] = {}
    named = {
        name: f"{node['schema']}.{node['alias']}"
        for name, node in side.manifest["nodes"].items()
        if node["resource_type"] in BUILT
    }
    for name, relation in named.items():
        node = side.manifest["nodes"][name]
        if node["resource_type"] == "snapshot":
            found.setdefault(relation, []).append(("version_id",))
        elif key := node["config"].get("unique_key"):
            found.setdefault(relation, []).append(tuple([key] if isinstance(key, str) else key))
    for node in side.manifest["nodes"].values():
        test, of = node.get("test_metadata"), named.get(node.get("attached_node") or "")
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


def _kind(name: str) -> str:
    return name.partition(".")[0]


def _downstream(manifest: dict[str, Any], name: str) -> list[str]:
    found, waiting = set(), [name]
    while waiting:
        for child in manifest["child_map"].get(waiting.pop(), []):
            if child not in found and _kind(child) in BUILT | {"exposure"}:
                found.add(child)
                waiting.append(child)
    return sorted(child.rpartition(".")[2] for child in found)


def _cell(text: str) -> str:
    """Text within a cell of a Markdown table, where a page of GitHub would read it as markup."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    for mark in "\\`*_|<>[]":
        plain = plain.replace(mark, f"\\{mark}")
    return plain
