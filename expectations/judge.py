"""Judges batches with Great Expectations: a suite for each relation and batch, on its profile or on the relation."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
from great_expectations.data_context.types.base import (
    DataContextConfig,
    FilesystemStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.expectations.row_conditions import Column

from expectations import checks as suites
from expectations.checks import Check
from expectations.connection import Warehouse
from expectations.measured import Ask, Group, groups
from expectations.verdict import ROWS_SHOWN, Finding, Verdict, amount, as_text, first_line, wanted
from profiles.errors import PipelineError


def context(home: Path) -> Any:
    """A context that keeps suites and results in files, and where the data is in memory alone."""
    home.mkdir(parents=True, exist_ok=True)
    return gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            # A name after a dollar would be a variable.
            store_backend_defaults=FilesystemStoreBackendDefaults(root_directory=str(home).replace("$", r"\$")),
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

    Results go to `home`, replacing those of before. Errors of a batch that is `accepted` only warn.
    """
    started = time.monotonic()
    shutil.rmtree(home, ignore_errors=True)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.closing(warehouse.connect()) as connection:

        def ask(sql: str) -> list[dict[str, Any]]:
            cursor = connection.cursor()
            cursor.execute(warehouse.named(sql))
            names = [column[0].lower() for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        asked = suites.read() if checks is None else checks
        newest = [] if batches else [row["newest"] for row in ask("select max(batch_id) as newest from {raw}.batches")]
        if newest == [None]:
            raise PipelineError("no batch is loaded: there is nothing to judge.")
        ids = (*batches, *newest)
        judged, unmeasured = groups(asked, [int(batch_id) for batch_id in ids], ask)
        results = list(_results(judged, warehouse, connection, context(home)))
        shown = {check.subject: check.rows for check in asked if check.rows}
        why = "The batch was not measured: did its build fail?"
        found = [Finding("error", f"{batch:06d}", "quality", "no profile", "a profile", why) for batch in unmeasured]
        found += [
            _finding(check, batch, result, shown.get(check.subject), ask)
            for check, batch, result in results
            if not result.success
        ]
    worst: dict[tuple[str, str], Finding] = {}
    for finding in sorted(found, key=lambda finding: finding.severity):  # errors first
        worst.setdefault((finding.batch_id, finding.subject), finding)
    findings = tuple(
        replace(finding, severity="warning") if finding.batch_id in accepted else finding for finding in worst.values()
    )
    return Verdict(ids, len(results), findings, round(time.monotonic() - started, 3))


def _results(
    groups: Sequence[Group], warehouse: Warehouse, connection: Any, gx_context: Any
) -> Iterator[tuple[Check, int, Any]]:
    """Runs the suite of each group; every check with its batch and its result."""
    measured = gx_context.data_sources.add_pandas("measured").add_dataframe_asset("profile")
    profile = measured.add_batch_definition_whole_dataframe("whole")
    tables = gx_context.data_sources.add_sql(
        "warehouse", connection_string=warehouse.url, kwargs={"creator": lambda: connection}
    )
    for group in groups:
        if group.measured is not None:
            data, parameters = profile, {"dataframe": group.measured}
        else:
            schema, _, table = group.relation.partition(".")
            asset = tables.add_table_asset(group.name, table_name=table, schema_name=warehouse.named(f"{{{schema}}}"))
            data, parameters = asset.add_batch_definition_whole_table("whole"), None
        expectations = [_expectation(check, group, number, warehouse) for number, check in enumerate(group.checks)]
        suite = gx_context.suites.add(gx.ExpectationSuite(name=group.name, expectations=expectations))
        validation = gx.ValidationDefinition(name=group.name, data=data, suite=suite)
        outcome = gx_context.validation_definitions.add(validation).run(
            batch_parameters=parameters, result_format="COMPLETE"
        )
        for result in outcome.results:
            yield group.checks[result.expectation_config.meta["check"]], group.batch, result


def _expectation(check: Check, group: Group, number: int, warehouse: Warehouse) -> Any:
    arguments = {
        name: warehouse.named(value, group.batch) if isinstance(value, str) else value
        for name, value in check.arguments.items()
    }
    kind = getattr(gx.expectations, check.expectation)
    if check.profile and group.measured is None and "row_condition" in kind.__fields__:
        # of a table: a query would be read whole, only to learn its columns
        arguments["row_condition"] = Column("_batch") == group.batch
    condition = f" Judged where {check.when}." if check.when else ""
    notes = {"format": "markdown", "content": [f"{check.why}{condition}"]}
    severity = "critical" if check.severity == "error" else check.severity
    return kind(severity=severity, notes=check.why, meta={"check": number, "notes": notes}, **arguments)


def _finding(check: Check, batch: int, result: Any, sql: str | None, ask: Ask) -> Finding:
    """A result that failed, in words; `sql` asks for rows that show it."""
    content = result.result or {}
    observed, rows = content.get("observed_value"), (content.get("details") or {}).get("unexpected_rows") or []
    if error := _exception(result):
        observed = f"could not be evaluated: {error}"
    elif check.expectation == "UnexpectedRowsExpectation":
        observed = f"{observed:,} rows"
    elif isinstance(observed, int | float):
        observed = amount(observed, check.column)
    elif observed is None:
        total = content.get("element_count")
        observed = f"{content.get('unexpected_count')} {f'of {total} values' if total else 'unexpected'}"
    if sql:
        try:
            rows = ask(sql.replace("{batch}", str(batch)))
        except Exception as sql_error:  # whichever the driver raises
            rows = [{"rows": f"could not be read: {first_line(sql_error)}"}]
    return Finding(
        severity=check.severity,
        batch_id=f"{batch:06d}",
        subject=check.subject,
        observed=str(observed),
        expected="none" if rows and not check.column else wanted(check),
        why=check.why,
        rows=tuple(as_text(dict(row)) for row in rows[:ROWS_SHOWN]),
    )


def _exception(result: Any) -> str:
    """The first line of what went wrong while a result was computed; GX nests it by metric, or does not."""
    info = result.exception_info or {}
    for entry in [info] if "raised_exception" in info else info.values():
        if isinstance(entry, dict) and entry.get("raised_exception"):
            return re.sub(r"\s+", " ", str(entry.get("exception_message", "")).strip())[:300] or "no reason was given"
    return ""
