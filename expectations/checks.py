"""The checks that the files of `suites/` hold, read and proven before anything is landed.

A check is a line: an expectation of Great Expectations, its arguments, and what its failure means. Nothing here needs a
warehouse or imports Great Expectations, which takes seconds: the columns of a relation are those that dbt describes,
the arguments of an expectation those of the JSON schema that Great Expectations ships with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from itertools import chain
from math import inf
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ValidationError
from yaml import CSafeLoader

from profiles.errors import PipelineError

Severity = Literal["warning", "error"]

FOLDER = Path(__file__).parent / "suites"
TRANSFORM = Path(__file__).parents[1] / "transform"
SCHEMAS = ("raw", "quality", "seeds", "staging", "intermediate", "marts", "snapshots")
SQL_WORDS = {"and", "or", "not", "between", "in", "is", "null", "true", "false", "least", "greatest", "abs", "coalesce"}
# Arguments that `judge.py` sets, and a check may not.
OF_EVERY_EXPECTATION = {
    *("batch_id", "catch_exceptions", "description", "id", "meta", "metadata", "notes", "rendered_content"),
    *("result_format", "severity", "windows"),
}


class Check(BaseModel, frozen=True, strict=True, extra="allow"):
    """One line of a suite; all but the parameters below are arguments of the expectation.

    Parameters: `relation`, as `schema.name`; `expectation`, a class of `great_expectations.expectations`; `severity`,
    whether it stops the run (`error`) or is reported (`warning`); `why`, where the bounds come from; `when`, SQL on the
    batch's row of the profile: it is judged only there; `rows`, SQL of rows that show a failure.
    """

    relation: str
    expectation: str
    severity: Severity
    why: str
    when: str | None = None
    rows: str | None = None
    column: str | None = None
    min_value: float | None = None
    max_value: float | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """What the expectation is given, by the names of Great Expectations."""
        own = {"relation", "expectation", "severity", "why", "when", "rows"}
        return self.model_dump(exclude=own, exclude_none=True)

    @property
    def subject(self) -> str:
        """What is judged, in short: a column of a profile, or what is asked of a relation itself."""
        name = f"{self.relation.removeprefix('quality.')}.{self.column}"
        if self.relation == self.profile or not self.column:
            return name if self.column else self.relation
        asked = re.sub(r"^ExpectColumn|ToBe(Between|LessThan)$", "", self.expectation)
        return f"{name} ({re.sub('(?<!^)(?=[A-Z][a-z])', ' ', asked).lower()})"

    @property
    def profile(self) -> str | None:
        """The profile that measures the relation, or that it is; none where it is judged as a whole."""
        schema, _, name = self.relation.partition(".")
        profile = {"quality": self.relation, "raw": f"quality.profile_{name}"}.get(schema)
        return profile if profile in contracts() else None


@cache
def read(folder: Path = FOLDER) -> tuple[Check, ...]:
    """All checks, in the order of the files; raises `PipelineError` for a wrong line, saying which and why."""
    return tuple(check for path in sorted(folder.glob("*.yml")) for check in _of_file(path))


def _of_file(path: Path) -> Iterator[Check]:
    text = path.read_text(encoding="utf-8")
    try:
        content, root = yaml.load(text, CSafeLoader), yaml.compose(text, CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PipelineError(f"{path}:{line}: this is not valid YAML: {error.problem}") from None
    if not isinstance(content, dict) or not isinstance(content.get("checks"), list):
        raise PipelineError(
            f"{path}:1: a suite has a list of `checks`, and may have a `relation` and an `expectation`."
        )
    common = {name: content[name] for name in ("relation", "expectation") if name in content}
    nodes = next(value.value for key, value in root.value if key.value == "checks")
    for entry, node in zip(content["checks"], nodes, strict=True):
        line = f"{path}:{node.start_mark.line + 1}"
        if not isinstance(entry, dict):
            raise PipelineError(f"{line}: `{entry}` is not a check: a check is a mapping.")
        try:
            check = Check.model_validate({**common, **entry})
        except ValidationError as error:
            wrong = error.errors()[0]
            given = "" if wrong["type"] == "missing" else f", not `{wrong['input']}`"
            raise PipelineError(f"{line}: `{wrong['loc'][0]}`: {wrong['msg']}{given}.") from None
        for fault in chain(_faults_of_relation(check), _faults_of_arguments(check)):
            raise PipelineError(f"{line}: {fault}")
        yield check


def _faults_of_relation(check: Check) -> Iterator[str]:
    relation, arguments = check.relation, check.arguments
    columns = contracts().get(relation, frozenset())
    if not columns:
        yield f"dbt describes no relation `{relation}`."
    named = (arguments[name] for name in ("column", "column_A", "column_B") if name in arguments)
    for column in (*named, *arguments.get("column_list", ())):
        if column not in columns:
            yield f"{relation} has no column `{column}`: {', '.join(sorted(columns))}."
    if check.profile == relation and not check.column:
        yield "`column` is missing: a profile is judged by its columns."
    if check.when and not check.profile:
        yield "`when` looks at the batch's row of a profile, and this relation has none."
    if unknown := names(check.when or "") - contracts().get(check.profile or "", frozenset()):
        yield f"`when` names `{min(unknown)}`, which is no column of {check.profile}."
    texts = (text for text in (check.rows, *arguments.values()) if isinstance(text, str))
    if unknown := {name for text in texts for name in re.findall(r"{(\w*)}", text)} - {*SCHEMAS, "batch"}:
        yield f"`{{{min(unknown)}}}` is neither {{batch}} nor a schema: {', '.join(SCHEMAS)}."


def _faults_of_arguments(check: Check) -> Iterator[str]:
    expectation, given = check.expectation, set(check.arguments)
    schema = gx_schema(expectation)
    if not schema:
        yield f"Great Expectations has no `{expectation}` for SQL."
    low, high = check.arguments.get("min_value", -inf), check.arguments.get("max_value", inf)
    if low > high:
        yield f"the bounds are the wrong way round: min_value {low} is above max_value {high}."
    taken = set(schema["properties"]) - OF_EVERY_EXPECTATION
    if unknown := given - taken:
        yield f"{expectation} takes no `{min(unknown)}`: {', '.join(sorted(taken))}."
    if absent := set(schema.get("required", ())) - given:
        yield f"{expectation} needs `{min(absent)}`."
    if "min_value" in taken and not given & {"min_value", "max_value", "threshold"}:
        yield "`min_value`, `max_value` or both are missing."


def names(condition: str) -> set[str]:
    """The columns that an SQL condition names."""
    return set(re.findall(r"[a-z_][a-z_0-9]*", re.sub(r"'[^']*'", "", condition.lower()))) - SQL_WORDS


@cache
def gx_schema(expectation: str) -> dict[str, Any]:
    """The JSON schema of an expectation's arguments; empty where Great Expectations has none for SQL of that name."""
    (home,) = find_spec("great_expectations").submodule_search_locations  # type: ignore[union-attr,misc]
    path = Path(home, "expectations", "core", "schemas", f"{expectation}.json")
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


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
