"""What Great Expectations ships, read from its source files: importing it takes seconds."""

from __future__ import annotations

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def expectations() -> dict[str, str]:
    """The core expectations: the name of each, and the module that has it."""
    listed = ast.walk(_parsed("core/__init__.py"))
    return {name.name: str(line.module) for line in listed if isinstance(line, ast.ImportFrom) for name in line.names}


@cache
def arguments(expectation: str) -> dict[str, bool]:
    """What an expectation takes beside what every one does, and whether it must be given."""
    if expectation == "BatchExpectation":
        return {}
    module = expectations().get(expectation)
    found: dict[str, bool] = {}
    for class_ in _parsed(f"core/{module}.py" if module else "expectation.py").body:
        if not isinstance(class_, ast.ClassDef) or class_.name != expectation:
            continue
        for base in class_.bases:
            found |= arguments(base.id) if isinstance(base, ast.Name) else {}
        for line in class_.body:
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                kind = ast.unparse(line.annotation)
                if "ClassVar" not in kind:
                    found[line.target.id] = (
                        "Optional" not in kind and "None" not in kind and not _has_default(line.value)
                    )
    return found


def _has_default(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):  # pydantic.Field
        return bool(value.args) or any(keyword.arg == "default" for keyword in value.keywords)
    return value is not None


@cache
def _parsed(file: str) -> ast.Module:
    (home,) = find_spec("great_expectations").submodule_search_locations  # type: ignore[union-attr,misc]
    return ast.parse(Path(home, "expectations", file).read_text(encoding="utf-8"))
