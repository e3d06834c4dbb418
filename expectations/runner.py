"""Runs the suites of a stage against a warehouse, as a Great Expectations checkpoint."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
from great_expectations.core.expectation_suite import ExpectationSuite
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.datasource.fluent.sql_datasource import SQLDatasource
from great_expectations.expectations.metadata_types import FailureSeverity

from expectations import docs, duckdb_shim
from expectations.actions import KeepNewestResults
from expectations.band_expectation import ExpectMeasureInBand
from expectations.connection import Address, address, connected, data_dir
from expectations.findings import evaluated, failures
from expectations.measure import Band, Measure, Severity, Stage, Suite
from expectations.state import state_of
from expectations.suites import SUITES
from expectations.verdict import Verdict

_NOTHING = "select '' as measure, '' as subject, 0 as observed, 0 as weight limit 0"
STAGES: tuple[Stage, ...] = ("raw", "marts")
_SOURCE = "warehouse"
_BATCH = "whole table"
_RESULT_FORMAT = {"result_format": "COMPLETE"}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps stdout clean: GX prints a notice there for each query that does not name its batch."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def parameter(suite: Suite) -> str:
    """The name under which a suite's query is handed to a run."""
    return re.sub(r"[^a-z_]+", "_", suite.name)


def gradations(measure: Measure) -> Iterator[tuple[Severity, Band, int]]:
    """The severities in which a measure is judged, each with its band and the evidence that it takes."""
    if measure.error:
        yield "error", measure.error, measure.evidence
    if measure.warn or (measure.error and measure.evidence > 1):
        yield "warning", measure.warn or measure.error or Band(), 1


def expectation_suite(suite: Suite) -> ExpectationSuite:
    """A suite as Great Expectations keeps it; its query is handed to each run."""
    return ExpectationSuite(
        name=suite.name,
        expectations=[
            ExpectMeasureInBand(
                unexpected_rows_query={"$PARAMETER": parameter(suite)},
                measure=measure.name,
                title=measure.title,
                unit=measure.unit,
                low=band.low,
                high=band.high,
                evidence=evidence,
                why=measure.why,
                severity=FailureSeverity.CRITICAL if severity == "error" else FailureSeverity.WARNING,
                meta={"severity": severity, "relation": suite.relation, "measure": measure.name},
            )
            for measure in suite.measures
            for severity, band, evidence in gradations(measure)
        ],
    )


class Runner:
    """The suites of a target, in a file data context under `expectations/` of the data folder.

    `accepted`: batches that a person vouches for; what they look like is told, and stops no run.
    """

    def __init__(self, target: str, accepted: frozenset[str] = frozenset()) -> None:
        self.target, self.accepted = target, accepted
        self.home = data_dir() / "expectations" / target
        duckdb_shim.install()
        self._context: Any = None
        self._source: Any = None
        self._checkpoints: dict[str, Any] = {}
        self._prepared = ""

    def prepare(self) -> None:
        """Writes the data source, the suites and the checkpoints into the context, unless they are there.

        Raises ConnectionNeeds; the warehouse itself need not be there yet.
        """
        where = address(self.target)
        fingerprint = _fingerprint(where)
        if self._prepared == fingerprint:
            return
        kept = self.home / "fingerprint"
        with _quiet():
            if not (kept.exists() and kept.read_text() == fingerprint and self._read()):
                kept.unlink(missing_ok=True)
                self._write(where)
                kept.write_text(fingerprint)
        self._prepared = fingerprint

    def _read(self) -> bool:
        """Takes what is there; whether it could be read."""
        try:
            self._context = _context(self.home)
            self._source = self._context.data_sources.get(_SOURCE)
            self._checkpoints = {stage: self._context.checkpoints.get(stage) for stage in STAGES}
        except Exception:  # GX has no one error for a damaged context, and everything in it can be written anew
            return False
        return True

    def _write(self, where: Address) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        self._context = _context(self.home)
        # Complete before the context sees it, which would write its whole file anew for every asset.
        source = SQLDatasource(name=_SOURCE, connection_string=where.url)
        for suite in SUITES:
            asset = source.add_query_asset(suite.name, query=f"select * from {suite.relation}")
            asset.add_batch_definition_whole_table(_BATCH)
        self._source = self._context.data_sources.add_or_update_sql(datasource=source)
        self._checkpoints = {stage: self._checkpoint(stage) for stage in STAGES}

    def _checkpoint(self, stage: Stage) -> Any:
        context, definitions = self._context, []
        for suite in (suite for suite in SUITES if suite.stage == stage):
            batch = self._source.get_asset(suite.name).get_batch_definition(_BATCH)
            kept = context.suites.add(expectation_suite(suite))
            definitions.append(
                context.validation_definitions.add(gx.ValidationDefinition(name=suite.name, data=batch, suite=kept))
            )
        return context.checkpoints.add(
            gx.Checkpoint(
                name=stage,
                validation_definitions=definitions,
                actions=[KeepNewestResults(name="keep the newest results")],
                result_format=_RESULT_FORMAT,
            )
        )

    def check(self, stage: Stage) -> Verdict:
        """Opens the warehouse, runs a stage, closes the warehouse again.

        Raises ConnectionNeeds and NothingLoaded.
        """
        started = time.monotonic()
        where = address(self.target)
        self.prepare()
        with connected(where):
            with self._source.get_engine().connect() as connection:
                state = state_of(lambda sql: connection.exec_driver_sql(sql).fetchall(), where.prefix)
            queries = {
                parameter(suite): state.render(suite.query()) if suite.applies(state) else _NOTHING
                for suite in SUITES
                if suite.stage == stage
            }
            with _quiet():
                result = self._checkpoints[stage].run(expectation_parameters=queries)
        found = list(failures(result, state, state.batch_id in self.accepted))
        return Verdict(
            stage,
            passed=not any(failure.severity == "error" for failure in found),
            evaluated=evaluated(result, state),
            failures=tuple(found),
            seconds=round(time.monotonic() - started, 3),
        )

    def docs(self) -> Path:
        """Builds the pages of the newest results of both stages; returns the front page."""
        self.prepare()
        with _quiet():
            return docs.build(
                self._context, data_dir() / "expectations" / "docs" / self.target, f"Data quality on {self.target}"
            )


def _context(home: Path) -> Any:
    home.mkdir(parents=True, exist_ok=True)
    context = gx.get_context(mode="file", project_root_dir=home)
    # GX parses this file for every look into a store, hundreds of times a run. It holds nothing, and may be missing.
    (home / "gx" / "uncommitted" / "config_variables.yml").unlink(missing_ok=True)
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return context


def _fingerprint(where: Address) -> str:
    """Changes with everything that the context is written from."""
    content = repr((gx.__version__, where.url, SUITES)).encode()
    sources = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return hashlib.sha256(re.sub(rb" at 0x[0-9a-f]+", b"", content) + sources).hexdigest()
