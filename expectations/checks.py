"""The checks that the files of `suites/` hold, read and proven before anything is landed.

A file names a relation and lists what is expected of it, a check a line. Nothing here needs Great Expectations or a
warehouse: the columns of a relation are those of its dbt contract, the expectations those that GX ships.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from math import inf
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from yaml import CSafeLoader

from expectations.catalogue import arguments, expectations
from profiles.errors import PipelineError

Severity = Literal["warning", "error"]

FOLDER = Path(__file__).parent / "suites"
TRANSFORM = Path(__file__).parents[1] / "transform"
SCHEMAS = ("raw", "quality", "seeds", "staging", "intermediate", "marts", "snapshots")
SQL_WORDS = {"and", "or", "not", "between", "in", "is", "null", "true", "false", "least", "greatest", "abs", "coalesce"}


class GateError(PipelineError):
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
        """What is judged, in short: a column of a profile, or what is asked of a relation itself."""
        name = f"{self.relation.removeprefix('quality.')}.{self.column}"
        if self.relation == self.profile or not self.column:
            return name if self.column else self.relation
        asked = self.expectation.removeprefix("ExpectColumn").removesuffix("ToBeBetween")
        return f"{name} ({re.sub('(?<!^)(?=[A-Z])', ' ', asked).lower()})"

    @property
    def profile(self) -> str | None:
        """The profile whose row of the batch `when` looks at; none where the relation is judged as a whole."""
        return profile_of(self.relation)


OWN_KEYS = {"column": "column", "min_value": "min", "max_value": "max"}
"""Arguments of expectations that are no `options` of a check, and what they are there."""
KINDS: dict[str, tuple[Any, str]] = {
    "options": (dict, "a mapping"),
    "min": (int | float, "a number"),
    "max": (int | float, "a number"),
}
KEYS = {"relation", "expectation", "column", "min", "max", "when", "severity", "why", "rows", "options"}


@cache
def read(folder: Path = FOLDER) -> tuple[Check, ...]:
    """All checks, in the order of the files; raises WrongCheck for the first line that is wrong."""
    return tuple(check for path in sorted(folder.glob("*.yml")) for check in _of_file(path))


def _of_file(path: Path) -> list[Check]:
    text = path.read_text(encoding="utf-8")
    try:
        content, root = yaml.load(text, CSafeLoader), yaml.compose(text, CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise WrongCheck(f"{path}:{line}: this is no YAML: {error.problem}") from None
    if not isinstance(content, dict) or not isinstance(content.get("checks"), list):
        raise WrongCheck(f"{path}:1: a suite has a list of `checks`, and may have a `relation` and an `expectation`.")
    common = {name: content[name] for name in ("relation", "expectation") if name in content}
    listed = next(value.value for key, value in root.value if key.value == "checks")
    return [
        _check(common, entry, f"{path}:{node.start_mark.line + 1}")
        for entry, node in zip(content["checks"], listed, strict=True)
    ]


def _check(common: dict[str, Any], entry: Any, line: str) -> Check:
    if not isinstance(entry, dict):
        raise WrongCheck(f"{line}: `{entry}` is no check, which is a mapping of {', '.join(sorted(KEYS))}.")
    entry = {**common, **entry}
    for fault in chain(_faults_of_form(entry), _faults_of_relation(entry), _faults_of_arguments(entry)):
        raise WrongCheck(f"{line}: {fault}")
    return Check(**entry, line=line)


def _faults_of_form(entry: dict[str, Any]) -> Iterator[str]:
    if unknown := set(entry) - KEYS:
        yield f"`{min(unknown, key=str)}` is no part of a check: {', '.join(sorted(KEYS))}."
    for name in ("relation", "expectation", "severity", "why"):
        if name not in entry:
            yield f"`{name}` is missing."
    for name, value in entry.items():
        kind, word = KINDS.get(name, (str, "text"))
        if not isinstance(value, kind) or isinstance(value, bool):
            yield f"`{name}` is {word}, not `{value}`."
    if entry["severity"] not in get_args(Severity):
        yield f"the severity `{entry['severity']}` is unknown: {' or '.join(get_args(Severity))}."
    if entry.get("min", -inf) > entry.get("max", inf):
        yield f"the bounds are the wrong way round: min {entry['min']} is above max {entry['max']}."


def _faults_of_relation(entry: dict[str, Any]) -> Iterator[str]:
    relation, options = entry["relation"], entry.get("options", {})
    if relation not in contracts():
        yield f"dbt describes no relation `{relation}`."
    columns, profile = contracts()[relation], profile_of(relation)
    pair = [options[name] for name in ("column_A", "column_B") if name in options]
    for column in (*([entry["column"]] if "column" in entry else ()), *pair, *options.get("column_list", ())):
        if column not in columns:
            yield f"{relation} has no column `{column}`: {', '.join(sorted(columns))}."
    if profile == relation and "column" not in entry:
        yield "`column` is missing: a profile is judged by its columns."
    if "when" in entry and not profile:
        yield "`when` looks at the batch's row of a profile, and this relation has none."
    if unknown := set(names(entry.get("when", ""))) - contracts().get(profile or "", frozenset()):
        yield f"`when` names `{min(unknown)}`, which is no column of {profile}."
    texts = [entry.get("rows", ""), *(option for option in options.values() if isinstance(option, str))]
    if unknown := {name for text in texts for name in re.findall(r"{(\w*)}", text)} - {*SCHEMAS, "batch"}:
        yield f"`{{{min(unknown)}}}` is neither {{batch}} nor a schema: {', '.join(SCHEMAS)}."


def _faults_of_arguments(entry: dict[str, Any]) -> Iterator[str]:
    expectation, options = entry["expectation"], set(entry.get("options", ()))
    if expectation not in expectations():
        yield f"Great Expectations has no `{expectation}`."
    if reserved := options & set(OWN_KEYS):
        yield f"`{min(reserved)}` is no option: write it as `{OWN_KEYS[min(reserved)]}` beside `options`."
    taken = arguments(expectation)
    given = {argument for argument, key in OWN_KEYS.items() if key in entry} | options
    if unknown := given - set(taken):
        yield f"{expectation} takes no `{min(unknown)}`: {', '.join(sorted(taken))}."
    if absent := {name for name, needed in taken.items() if needed} - given:
        yield f"{expectation} needs `{min(absent)}`{'' if min(absent) in OWN_KEYS else ' in `options`'}."
    if {"min_value", "max_value"} <= set(taken) and not given & {"min_value", "max_value"}:
        yield "`min`, `max` or both are missing."


def names(condition: str) -> list[str]:
    """The columns that an SQL condition names."""
    words: list[str] = re.findall(r"[a-z_][a-z_0-9]*", re.sub(r"'[^']*'", "", condition.lower()))
    return [word for word in words if word not in SQL_WORDS]


def profile_of(relation: str) -> str | None:
    """The profile that measures a relation, or that it is."""
    schema, _, name = relation.partition(".")
    profile = {"quality": relation, "raw": f"quality.profile_{name}"}.get(schema)
    return profile if profile in contracts() else None


@cache
def contracts() -> dict[str, frozenset[str]]:
    """The columns of each relation that dbt describes, by `schema.name`."""
    found = {}
    for path in (*TRANSFORM.glob("models/*/*.yml"), *TRANSFORM.glob("*s/*.yml")):
        content = yaml.load(path.read_text(encoding="utf-8"), CSafeLoader)
        for relation in [*content.get("models", ()), *content.get("snapshots", ()), *content.get("seeds", ())]:
            found[f"{path.parent.name}.{relation['name']}"] = relation
        for source in content.get("sources", ()):
            found |= {f"{source['name']}.{table['name']}": table for table in source["tables"]}
    return {
        name: frozenset(column["name"] for column in relation.get("columns", ()))
        for name, relation in found.items()
        if name.partition(".")[0] in SCHEMAS
    }
