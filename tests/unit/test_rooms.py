"""The rooms of ingest/: each knows only those before it, and no module needs itself."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
ROOMS = ("", "store", "sources", "lines", "batches")
FILES = sorted((REPO / "ingest").rglob("*.py"))


def module(path: Path) -> str:
    return ".".join(path.relative_to(REPO).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module(path) for path in FILES}


def imports(path: Path) -> set[str]:
    """All that a file imports, at whatever depth; of `from package import module`, the module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{name.name}" for name in node.names}
            found |= (names & MODULES) or {str(node.module)}
    return found


def room(name: str) -> int:
    parts = name.split(".")
    return ROOMS.index(parts[1] if len(parts) > 1 and parts[1] in ROOMS else "")


@pytest.mark.parametrize("path", FILES, ids=module)
def test_a_room_knows_only_the_rooms_before_it(path: Path) -> None:
    found = imports(path)
    assert {name for name in found if name.startswith("ingest.") and room(name) > room(module(path))} == set()
    others = {"pipeline", "transform", "expectations", "notebooks", "profiles", "tests", "dbt"}
    assert {name for name in found if name.partition(".")[0] in others} == set()


def test_no_module_needs_itself() -> None:
    graph = {module(path): imports(path) & MODULES - {module(path)} for path in FILES}
    assert set(TopologicalSorter(graph).static_order()) == MODULES


@pytest.mark.parametrize("path", FILES, ids=module)
def test_a_file_fits_on_a_few_screens(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


def test_no_two_top_level_folders_need_each_other() -> None:
    folders = ("ingest", "profiles", "expectations", "notebooks", "pipeline")
    graph = {
        folder: {name.partition(".")[0] for path in (REPO / folder).rglob("*.py") for name in imports(path)}
        & set(folders) - {folder}
        for folder in folders
    }
    assert graph["ingest"] == set() and graph["profiles"] == {"ingest"}
    assert set(TopologicalSorter(graph).static_order()) == set(folders)
