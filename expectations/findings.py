"""What a checkpoint's result says, as findings in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from expectations.measure import Band, State, Suite
from expectations.suites import SUITES
from expectations.verdict import Failure, wanted

_BY_NAME = {suite.name: suite for suite in SUITES}


def evaluated(result: Any, state: State) -> int:
    """How many expectations had something to look at."""
    outcomes = result.run_results.values()
    return sum(len(outcome.results) for outcome in outcomes if _BY_NAME[outcome.suite_name].applies(state))


def failures(result: Any, state: State, accepted: bool) -> Iterator[Failure]:
    """What failed and what warned; of an `accepted` batch, what a person may accept only warns."""
    for outcome in result.run_results.values():
        yield from _of_suite(_BY_NAME[outcome.suite_name], outcome.results, state, accepted)


def _of_suite(suite: Suite, results: Any, state: State, accepted: bool) -> Iterator[Failure]:
    if reason := next(filter(None, map(_exception, results)), ""):
        about = suite.about or "all expectations"
        yield Failure(
            "error", suite.relation, about, f"could not be evaluated: {reason}", "a result", (), state.batch_id
        )
        return
    measures = {measure.name: measure for measure in suite.measures}
    told: set[str] = set()
    for result in results:
        kwargs, severity = result.expectation_config.kwargs, result.expectation_config.meta["severity"]
        measure = measures[kwargs["measure"]]
        if result.success or measure.name in told:
            continue
        told.add(measure.name)
        yield Failure(
            severity="warning" if accepted and measure.accepts else severity,
            relation=suite.relation,
            expectation=measure.title,
            observed=result.result["observed_value"],
            expected=wanted(Band(kwargs.get("low"), kwargs.get("high")), measure.unit),
            rows=tuple(result.result["details"]["rows"]),
            batch_id=state.batch_id,
        )


def _exception(result: Any) -> str:
    """The first line of what went wrong while a result was computed; GX nests it by metric, or does not."""
    info = result.exception_info or {}
    for entry in [info] if "raised_exception" in info else info.values():
        if isinstance(entry, dict) and entry.get("raised_exception"):
            return str(entry.get("exception_message", "")).strip().split("\n")[0][:300] or "no reason was given"
    return ""
