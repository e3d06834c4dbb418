"""Judges batches with Great Expectations: one checkpoint over the profiles of the batches and over the marts.

What dbt measured of a batch is one row of a profile, so that the greatest value of a column is its value, and Great
Expectations asks for all columns of a relation in one query. A value that is null has nothing to be judged by.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
from great_expectations.data_context.types.base import (
    DataContextConfig,
    FilesystemStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.expectations.row_conditions import Column
from sqlalchemy.exc import SQLAlchemyError

from expectations import checks as suites
from expectations.checks import Check
from expectations.connection import SCHEMAS, Warehouse
from expectations.verdict import ROWS_SHOWN, Finding, Verdict, amount, as_text, wanted

SEVERITIES = {"error": FailureSeverity.CRITICAL, "warning": FailureSeverity.WARNING}


@dataclass(frozen=True)
class Group:
    """The checks of one relation that are judged together, on one batch."""

    relation: str
    batch: int
    checks: tuple[Check, ...]
    query: str = ""


def context(home: Path) -> Any:
    """A context that keeps suites and results in files, and where the data is in memory alone."""
    home.mkdir(parents=True, exist_ok=True)
    return gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=FilesystemStoreBackendDefaults(root_directory=str(home)),
            progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
        ),
    )


def judge(
    warehouse: Warehouse,
    home: Path,
    batches: Sequence[str] = (),
    accepted: Sequence[str] = (),
    checks: Sequence[Check] | None = None,
) -> Verdict:
    """Judges batches, by default the newest one, and the marts as they are now.

    Results go to `home`, replacing those of before. Of a batch that is `accepted`, errors only warn.
    """
    started = time.monotonic()
    shutil.rmtree(home, ignore_errors=True)
    with contextlib.redirect_stdout(io.StringIO()), warehouse.opened() as (url, connect):  # GX prints notices
        gx_context = context(home)
        source = gx_context.data_sources.add_sql("warehouse", connection_string=url, kwargs={"creator": connect})

        def ask(sql: str) -> list[Mapping[str, Any]]:
            with source.get_engine().connect() as connection:
                return list(connection.exec_driver_sql(warehouse.named(sql)).mappings())

        all_checks = suites.read() if checks is None else checks
        shown = {check.subject: check.rows for check in all_checks if check.rows}
        ids = tuple(batches) or (str(ask("select max(batch_id) as newest from {raw}.batches")[0]["newest"]),)
        groups, unmeasured = _groups(all_checks, ids, ask)
        results = _run(gx_context, source, warehouse, groups)
        found = [*unmeasured, *(_finding(check, batch, result, shown, ask) for check, batch, result in results)]
    worst: dict[tuple[str, str], Finding] = {}
    for finding in sorted(filter(None, found), key=lambda finding: finding.severity):  # errors first
        worst.setdefault((finding.batch_id, finding.subject), finding)
    judged = [_accepted(finding) if finding.batch_id in accepted else finding for finding in worst.values()]
    return Verdict(ids, len(results), tuple(judged), round(time.monotonic() - started, 3))


def _groups(
    checks: Sequence[Check], ids: Sequence[str], ask: Callable[[str], list[Mapping[str, Any]]]
) -> tuple[list[Group], list[Finding]]:
    """The checks that have something to judge, by relation and batch; and a finding of each batch without a profile."""
    groups, measured, there = [], set(), _relations(ask)
    listed = ", ".join(str(int(batch_id)) for batch_id in ids)
    for relation, of_relation in groupby(
        sorted(checks, key=lambda check: check.relation), lambda check: check.relation
    ):
        of_all = tuple(of_relation)
        if relation not in there:
            continue  # its build failed before it, which the run says
        if not of_all[0].is_of_profile:
            groups.append(Group(relation, int(ids[-1]), of_all))
            continue
        values = ", ".join(f"{value} as {alias}" for alias, value in _values(of_all).items())
        query = f"select {values} from {{quality}}.{relation.partition('.')[2]} where _batch"
        for row in ask(f"{query.replace('select', 'select _batch,', 1)} in ({listed}) order by _batch"):
            measured.add(int(row["_batch"]))
            judged = tuple(check for check in of_all if row[_alias(check, of_all)] is not None)
            if judged:
                groups.append(Group(relation, int(row["_batch"]), judged, f"{query} = {row['_batch']}"))
    return groups, [
        Finding(
            "error", batch_id, "quality", "no profile", "a profile", "The batch was not measured: did its build fail?"
        )
        for batch_id in ids
        if int(batch_id) not in measured
    ]


def _relations(ask: Callable[[str], list[Mapping[str, Any]]]) -> set[str]:
    """The relations that are there, as `schema.name`, without a prefix of the schemas."""
    schemas = {f"{{{schema}}}": schema for schema in SCHEMAS}
    listed = " union all ".join(
        f"select '{named}' as named, '{schema}' as schema_name" for named, schema in schemas.items()
    )
    rows = ask(
        f"select distinct s.schema_name || '.' || lower(c.table_name) as relation from ({listed}) as s"
        " inner join information_schema.columns as c on lower(c.table_schema) = lower(s.named)"
    )
    return {row["relation"] for row in rows}


def _values(checks: Sequence[Check]) -> dict[str, str]:
    """The columns of the query that a relation's checks are judged on: name and SQL."""
    return {
        _alias(check, checks): f"case when {check.when} then {check.column} end" if check.when else str(check.column)
        for check in checks
    }


def _alias(check: Check, checks: Sequence[Check]) -> str:
    """A column's name, with a number where it is judged under a condition."""
    conditions = list(dict.fromkeys(other.when for other in checks if other.column == check.column and other.when))
    return f"{check.column}_{conditions.index(check.when) + 1}" if check.when else str(check.column)


def _run(gx_context: Any, source: Any, warehouse: Warehouse, groups: Sequence[Group]) -> list[tuple[Check, int, Any]]:
    """Runs all groups as one checkpoint; each check with its batch and its result."""
    if not groups:
        return []
    definitions = []
    for group in groups:
        schema, _, name = group.relation.partition(".")
        if group.query:
            asset = source.add_query_asset(f"{group.relation} {group.batch}", query=warehouse.named(group.query))
        else:
            asset = source.add_table_asset(
                group.relation, table_name=name, schema_name=warehouse.named(f"{{{schema}}}")
            )
        suite = gx.ExpectationSuite(
            name=f"{group.relation}-{group.batch:06d}",
            expectations=[
                _expectation(check, _alias(check, group.checks), group, number, warehouse)
                for number, check in enumerate(group.checks)
            ],
        )
        definition = gx.ValidationDefinition(
            name=suite.name,
            data=asset.add_batch_definition_whole_table("whole"),
            suite=gx_context.suites.add(suite),
        )
        definitions.append(gx_context.validation_definitions.add(definition))
    checkpoint = gx.Checkpoint(name="gate", validation_definitions=definitions, result_format="COMPLETE")
    outcomes = gx_context.checkpoints.add(checkpoint).run().run_results.values()
    by_suite = {f"{group.relation}-{group.batch:06d}": group for group in groups}
    return [
        (
            by_suite[outcome.suite_name].checks[result.expectation_config.meta["check"]],
            by_suite[outcome.suite_name].batch,
            result,
        )
        for outcome in outcomes
        for result in outcome.results
    ]


def _expectation(check: Check, alias: str, group: Group, number: int, warehouse: Warehouse) -> Any:
    arguments = {
        name: warehouse.named(option, group.batch) if isinstance(option, str) else option
        for name, option in check.options.items()
    }
    if check.column:
        arguments["column"] = alias
    if check.min is not None or check.max is not None:
        arguments |= {"min_value": check.min, "max_value": check.max}
    if check.column and group.relation.startswith("raw."):
        arguments["row_condition"] = Column("_batch") == group.batch
    condition = f" Judged where {check.when}." if check.when else ""
    notes = {"format": "markdown", "content": [f"{check.why}{condition}"]}
    return getattr(gx.expectations, check.expectation)(
        severity=SEVERITIES[check.severity], notes=check.why, meta={"check": number, "notes": notes}, **arguments
    )


def _finding(
    check: Check, batch: int, result: Any, shown: Mapping[str, str], ask: Callable[[str], list[Mapping[str, Any]]]
) -> Finding | None:
    """A result that failed, in words."""
    if result.success:
        return None
    content = result.result or {}
    observed, rows = content.get("observed_value"), (content.get("details") or {}).get("unexpected_rows") or []
    if error := _exception(result):
        observed = f"could not be evaluated: {error}"
    elif check.expectation == "UnexpectedRowsExpectation":
        observed = f"{observed:,} rows"
    elif isinstance(observed, int | float):
        observed = amount(observed, check.column)
    elif observed is None:
        observed = f"{content.get('unexpected_count')} of {content.get('element_count')} values"
    if check.subject in shown:
        try:
            rows = ask(shown[check.subject].replace("{batch}", str(batch)))
        except SQLAlchemyError as sql_error:
            rows = [{"rows": f"could not be read: {getattr(sql_error, 'orig', sql_error)}"}]
    return Finding(
        severity=check.severity,
        batch_id=f"{batch:06d}",
        subject=check.subject,
        observed=str(observed),
        expected="none" if rows and not check.column else wanted(check),
        why=check.why,
        rows=tuple(as_text(dict(row)) for row in rows[:ROWS_SHOWN]),
    )


def _accepted(finding: Finding) -> Finding:
    return Finding(**{**finding.__dict__, "severity": "warning"})


def _exception(result: Any) -> str:
    """The first line of what went wrong while a result was computed; GX nests it by metric, or does not."""
    info = result.exception_info or {}
    for entry in [info] if "raised_exception" in info else info.values():
        if isinstance(entry, dict) and entry.get("raised_exception"):
            return re.sub(r"\s+", " ", str(entry.get("exception_message", "")).strip())[:300] or "no reason was given"
    return ""
