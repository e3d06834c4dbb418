"""The checks that the files of `suites/` hold, read and proven before anything is landed.

A file names a relation and lists what is expected of it, a check a line. Nothing here needs Great Expectations or a
warehouse: the columns of a relation are those of its dbt contract, the expectations those that GX ships.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

Severity = Literal["warning", "error"]

FOLDER = Path(__file__).parent / "suites"
TRANSFORM = Path(__file__).parents[1] / "transform"
SQL_WORDS = {"and", "or", "not", "between", "in", "is", "null", "true", "false", "least", "greatest", "abs", "coalesce"}


class GateError(Exception):
    """The gate could not be asked: why, in words for a person."""


class WrongCheck(GateError):
    """A line of a suite that cannot be meant so: file, line, and what is wrong with it."""


@dataclass(frozen=True)
class Check:
    """One line of a suite.

    Parameters: `relation`, as `schema.name`; `expectation`, a class of `great_expectations.expectations`; `column`;
    `min` and `max`, its bounds, both included; `when`, SQL on the columns of the same row: it is judged only there;
    `severity`, whether it stops the run (`error`) or is reported (`warning`); `why`, where the bounds come from;
    `rows`, SQL of rows that show a failure; `options`, further arguments of the expectation; `line`, in its file.
    """

    relation: str
    expectation: str
    severity: Severity
    why: str
    column: str | None = None
    min: float | None = None
    max: float | None = None
    when: str | None = None
    rows: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    line: str = ""

    @property
    def subject(self) -> str:
        """What is judged, in short."""
        return f"{self.relation.removeprefix('quality.')}.{self.column}" if self.column else self.relation

    @property
    def is_of_profile(self) -> bool:
        """Whether it looks at what dbt measured of a batch, and not at a relation itself."""
        return self.relation.startswith("quality.")


KEYS = {"relation", "expectation", "column", "min", "max", "when", "severity", "why", "rows", "options"}


@cache
def read(folder: Path = FOLDER) -> tuple[Check, ...]:
    """All checks, in the order of the files; raises WrongCheck for the first line that is wrong."""
    return tuple(check for path in sorted(folder.glob("*.yml")) for check in _of_file(path))


def _of_file(path: Path) -> list[Check]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Lines)  # noqa: S506 - a subclass of SafeLoader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise WrongCheck(f"{path}:{line}: this is no YAML: {error.problem}") from None
    if not isinstance(content, dict) or not isinstance(content.get("checks"), list):
        raise WrongCheck(f"{path}:1: a suite has a list of `checks`, and may have a `relation` and an `expectation`.")
    common = {name: content[name] for name in ("relation", "expectation") if name in content}
    return [_check({**common, **entry}, path) for entry in content["checks"]]


def _check(entry: dict[str, Any], path: Path) -> Check:
    where = f"{path}:{entry.pop('line', 1)}"

    def refuse(what: str) -> None:
        raise WrongCheck(f"{where}: {what}")

    if unknown := set(entry) - KEYS:
        refuse(f"`{min(unknown)}` is no part of a check: {', '.join(sorted(KEYS))}.")
    for name in ("relation", "expectation", "severity", "why"):
        if not isinstance(entry.get(name), str):
            refuse(f"`{name}` is missing.")
    if entry["severity"] not in get_args(Severity):
        refuse(f"the severity `{entry['severity']}` is unknown: {' or '.join(get_args(Severity))}.")
    if entry["expectation"] not in expectations():
        refuse(f"Great Expectations has no `{entry['expectation']}`.")
    columns = contracts().get(entry["relation"])
    if columns is None:
        refuse(f"there is no relation `{entry['relation']}` in transform/models.")
    elif "column" in entry and entry["column"] not in columns:
        refuse(f"{entry['relation']} has no column `{entry['column']}`: {', '.join(sorted(columns))}.")
    elif unknown := set(names(entry.get("when") or "")) - columns:
        refuse(f"`when` names `{min(unknown)}`, which is no column of {entry['relation']}.")
    low, high = entry.get("min"), entry.get("max")
    if any(isinstance(bound, bool) or not isinstance(bound, int | float | None) for bound in (low, high)):
        refuse("`min` and `max` are numbers.")
    if low is not None and high is not None and low > high:
        refuse(f"the bounds are the wrong way round: min {low} is above max {high}.")
    if entry["expectation"].endswith("ToBeBetween") and low is None and high is None:
        refuse("`min`, `max` or both are missing.")
    if "when" in entry and not entry["relation"].startswith("quality."):
        refuse("`when` looks at the row of a batch: it works on the relations of `quality` alone.")
    return Check(**entry, line=where)


def names(condition: str) -> list[str]:
    """The columns that an SQL condition names."""
    words: list[str] = re.findall(r"[a-z_][a-z_0-9]*", re.sub(r"'[^']*'", "", condition.lower()))
    return [word for word in words if word not in SQL_WORDS]


@cache
def expectations() -> frozenset[str]:
    """The expectations that Great Expectations ships, by the names of its files: importing it takes seconds."""
    (home,) = find_spec("great_expectations").submodule_search_locations  # type: ignore[union-attr,misc]
    files = Path(home, "expectations", "core").glob("*expect*.py")
    return frozenset(path.stem.title().replace("_", "") for path in files)


@cache
def contracts() -> dict[str, frozenset[str]]:
    """The columns of each relation that dbt describes, by `schema.name`."""
    found = {}
    for path in sorted(TRANSFORM.glob("models/*/*.yml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        described = [(path.parent.name, model) for model in content.get("models", [])]
        described += [(source["name"], table) for source in content.get("sources", []) for table in source["tables"]]
        for schema, relation in described:
            found[f"{schema}.{relation['name']}"] = frozenset(column["name"] for column in relation.get("columns", []))
    return found


class _Lines(yaml.SafeLoader):  # type: ignore[misc]
    """Keeps the line on which each entry of a list begins."""

    def construct_sequence(self, node: yaml.SequenceNode, deep: bool = False) -> list[Any]:
        entries = super().construct_sequence(node, deep=True)
        return [
            {**entry, "line": child.start_mark.line + 1} if isinstance(entry, dict) else entry
            for entry, child in zip(entries, node.value, strict=True)
        ]


_Lines.add_constructor("tag:yaml.org,2002:seq", lambda loader, node: loader.construct_sequence(node))
