"""What docs/schedule.md tells people to run exists."""

from __future__ import annotations

import ast
import re

from tests.conftest import REPO

TEXT = (REPO / "docs" / "schedule.md").read_text()


def test_every_session_that_it_runs_is_one_of_the_noxfile() -> None:
    tree = ast.parse((REPO / "noxfile.py").read_text())
    sessions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list}
    assert (named := set(re.findall(r"nox -s (\w+)", TEXT)))
    assert named <= sessions


def test_every_variable_that_it_names_is_in_the_readme() -> None:
    named = set(re.findall(r"MOVIELENS_\w+", TEXT))
    assert named == {name for name in named if f"`{name}`" in (REPO / "README.md").read_text()}


def test_every_file_that_it_names_is_there() -> None:
    for path in (".github/workflows/ci.yml", "locks/nox.txt"):
        assert path in TEXT
        assert (REPO / path).is_file()
