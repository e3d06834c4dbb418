"""Each planted fault is caught by a check or a dbt test, a clean batch passes, and the table of both is true."""

from __future__ import annotations

import os

import pytest

from tests.conftest import REPO
from tests.pipeline.planted_faults import FAULTS, Fault
from tests.pipeline.planting import Bench

README = REPO / "expectations" / "README.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"


@pytest.fixture(scope="module")
def caught(bench: Bench) -> dict[str, tuple[str, ...]]:
    """What catches each fault: the checks that stop the run, or the dbt tests that fail."""
    found = {}
    for fault in FAULTS:
        bench.plant(fault.sql, booked=fault.where == "source")
        if fault.where == "source":
            found[fault.name] = tuple(f"`{finding.subject}`" for finding in bench.judged().of("error"))
        else:
            found[fault.name] = tuple(f"dbt test `{name}`" for name in sorted(bench.failing_tests()))
    return found


@pytest.fixture(scope="module")
def caught_at_once(bench: Bench) -> dict[str, set[str]]:
    """How severe it is when the first batch of all has a fault: there is nothing to compare it with."""
    found = {}
    for fault in FAULTS:
        if fault.where == "source":
            bench.plant(fault.sql, first=True)
            found[fault.name] = {finding.severity for finding in bench.judged().findings}
    return found


@pytest.mark.parametrize("first", [True, False])
def test_a_clean_batch_passes_without_a_word(bench: Bench, first: bool) -> None:
    bench.plant(first=first)
    verdict = bench.judged(every=True)
    assert verdict.findings == ()
    assert verdict.batches == ("000001" if first else "000002",)
    assert verdict.evaluated > 60


def test_a_clean_warehouse_passes_every_dbt_test(bench: Bench) -> None:
    bench.plant()
    assert bench.failing_tests() == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_stops_the_run(fault: Fault, caught: dict[str, tuple[str, ...]]) -> None:
    assert caught[fault.name]


def test_the_table_of_faults_is_true(caught: dict[str, tuple[str, ...]], caught_at_once: dict[str, set[str]]) -> None:
    lines = ["| planted fault | caught by | at a first load |", "|---|---|---|"]
    for fault in FAULTS:
        by = ", ".join(caught[fault.name][:2])
        lines.append(f"| {fault.name} | {by} | {at_once(fault, caught_at_once)} |")
    table = "\n".join(lines)
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    kept, _, after = rest.partition(END)
    if os.environ.get("MOVIELENS_WRITE_TABLES"):
        README.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")
    else:
        assert kept.strip() == table, "run this test with MOVIELENS_WRITE_TABLES=1 and look at the difference"


def at_once(fault: Fault, found: dict[str, set[str]]) -> str:
    if fault.where != "source":
        return "yes"
    severities = found[fault.name]
    return "yes" if "error" in severities else "warns" if severities else "no: nothing to compare with"
