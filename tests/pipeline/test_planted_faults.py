"""Each planted fault is caught by an expectation or a dbt test, a clean batch passes, and the table of both is true."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from expectations.state import state_of
from expectations.suites import SUITES
from expectations.verdict import Failure, Verdict
from ingest.batches.landing import Landing, land
from ingest.sources.sample import generate
from pipeline.dbt import Dbt
from tests.conftest import REPO
from tests.pipeline.harness import Lab
from tests.pipeline.planted_faults import FAULTS, Fault

TABLES = ("movies", "ratings", "tags", "links", "genome_scores", "genome_tags")
README = REPO / "expectations" / "README.md"
SEVERITIES = ("error", "warning")
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"


class Bench:
    """A clean warehouse, copies of it to plant in, and the one process that checks them."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        os.environ["MOVIELENS_DATA_DIR"] = str(folder)
        from expectations.runner import Runner

        self.lab, self.runner = lab, Runner("dev")
        self.warehouse, self.built = folder / "warehouse.duckdb", folder / "built.duckdb"
        self.second, self.first = folder / "second.duckdb", folder / "first.duckdb"
        sample = generate(folder / "sample", ratings=30_000)
        name = lab.new_dataset()
        land(Landing(name, folder / "sample", as_of=sample.as_of), lab.store, lab.settings)
        lab.apply(name)
        shutil.copy(lab.settings.warehouse, self.built)
        self.run(self.built, self.second, _SECOND_BATCH)
        self.run(self.built, self.first, _NOTHING_BUILT)

    @staticmethod
    def run(source: Path, target: Path, sql: str) -> None:
        """SQL on a copy."""
        shutil.copy(source, target)
        with duckdb.connect(str(target)) as connection:
            connection.execute(sql)

    def plant(self, fault: Fault, *, first: bool) -> None:
        """A batch with a fault: the first one of all, or one that follows a built one."""
        batch = "000001" if first else "000002"
        sql = fault.sql.replace("{batch}", batch).replace("{{", "{").replace("}}", "}")
        booked = _BOOK.replace("{batch}", batch) if fault.where == "source" else ""
        self.run(self.first if first else self.second, self.warehouse, f"{sql}; {booked}")

    def severities(self) -> set[str]:
        """What the raw suites find, without Great Expectations: a tenth of the time, and a second opinion."""
        from expectations.runner import gradations

        found = set()
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            state = state_of(lambda sql: connection.execute(sql).fetchall(), "")
            for suite in SUITES:
                if suite.stage != "raw" or not suite.applies(state):
                    continue
                rows = connection.execute(state.render(suite.query())).fetchall()
                for measure in suite.measures:
                    for severity, band, evidence in gradations(measure):
                        for name, _, observed, weight in rows:
                            if name == measure.name and observed is not None and weight >= evidence:
                                found |= set() if band.holds(observed) else {severity}
        return found

    def marts(self, fault: Fault | None) -> Verdict:
        """The mart gate's verdict on a built warehouse with a fault."""
        self.run(self.built, self.warehouse, fault.sql if fault else "")
        return self.runner.check("marts")


# The same content again as a second batch, one day later.
_SECOND_BATCH = (
    ";".join(f"insert into raw.{table} select * replace (2 as _batch) from raw.{table}" for table in TABLES)
    + """;
    insert into raw.batches
    select * replace ('000002' as batch_id, as_of + interval 1 day as as_of, effective_at + interval 1 day as effective_at)
    from raw.batches;
    insert into raw.load_ledger select * replace ('000002' as batch_id) from raw.load_ledger;
"""
)
_NOTHING_BUILT = ";".join(
    f"drop schema {schema} cascade" for schema in ("staging", "intermediate", "quality", "marts", "snapshots", "seeds")
)
# The ledger as the load would have written it.
_BOOK = ";".join(
    f"update raw.load_ledger set rows_loaded = (select count(*) from raw.{table} where _batch = cast('{{batch}}' as integer)),"
    f" rows_read = rows_rejected + (select count(*) from raw.{table} where _batch = cast('{{batch}}' as integer))"
    f" where batch_id = '{{batch}}' and table_name = '{table}'"
    for table in TABLES
)


@pytest.fixture(scope="module")
def bench(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    before = dict(os.environ)
    yield Bench(lab, tmp_path_factory.mktemp("faults"))
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def caught(bench: Bench) -> dict[str, tuple[Failure, ...]]:
    """What the expectations find of each fault that is theirs to find."""
    found: dict[str, tuple[Failure, ...]] = {}
    for fault in FAULTS:
        if fault.where in ("source", "raw"):
            bench.plant(fault, first=False)
            found[fault.name] = bench.runner.check("raw").failures
        elif fault.where == "marts":
            found[fault.name] = bench.marts(fault).failures
    return found


@pytest.fixture(scope="module")
def caught_at_once(bench: Bench) -> dict[str, set[str]]:
    """How severe it is when the first batch of all has a fault: there is nothing to compare it with."""
    found = {}
    for fault in FAULTS:
        if fault.where == "source":
            bench.plant(fault, first=True)
            found[fault.name] = bench.severities()
    return found


def errors(failures: tuple[Failure, ...]) -> list[Failure]:
    return [failure for failure in failures if failure.severity == "error"]


def test_a_clean_first_batch_passes_without_a_word(bench: Bench) -> None:
    shutil.copy(bench.first, bench.warehouse)
    verdict = bench.runner.check("raw")
    assert verdict.passed
    assert verdict.failures == ()
    assert verdict.evaluated > 60


def test_a_clean_second_batch_passes_without_a_word(bench: Bench) -> None:
    shutil.copy(bench.second, bench.warehouse)
    verdict = bench.runner.check("raw")
    assert verdict.passed
    assert verdict.failures == ()


def test_a_delta_is_no_sample_and_its_distribution_only_warns(bench: Bench) -> None:
    ratings = """
        delete from raw.ratings where _batch = 2 and _row % 5 != 0;
        update raw.ratings set rating = 0.5, timestamp = 2000000000 where _batch = 2;
        update raw.batches set mode = '{mode}' where batch_id = '000002' and table_name = 'ratings';
    """
    found = {}
    for mode in ("delta", "full"):
        bench.run(bench.second, bench.warehouse, ratings.format(mode=mode) + _BOOK.replace("{batch}", "000002"))
        failures = bench.runner.check("raw").failures
        found[mode] = {severity: {f.expectation for f in failures if f.severity == severity} for severity in SEVERITIES}
    told = {"Mean rating", "Spread of ratings (standard deviation)", "Share of ratings that are whole stars"}
    assert found["delta"]["error"] == set()
    assert found["delta"]["warning"] >= told
    assert found["full"]["error"] >= told


def test_clean_marts_pass_without_a_word(bench: Bench) -> None:
    verdict = bench.marts(None)
    assert verdict.passed
    assert verdict.failures == ()
    assert verdict.evaluated > 50


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.where != "dbt"], ids=lambda fault: fault.name)
def test_a_planted_fault_stops_the_run(fault: Fault, caught: dict[str, tuple[Failure, ...]]) -> None:
    assert errors(caught[fault.name]), f"only warned: {caught[fault.name]}"


def test_what_dbt_tests_are_for_is_caught_by_them(bench: Bench) -> None:
    faults = [fault for fault in FAULTS if fault.where == "dbt"]
    failed = dbt_failures(bench, "; ".join(fault.sql for fault in faults))
    assert [fault.name for fault in faults if not any(fault.test in name for name in failed)] == []


def test_the_table_of_faults_is_true(
    caught: dict[str, tuple[Failure, ...]], caught_at_once: dict[str, set[str]]
) -> None:
    lines = ["| planted fault | caught by | at a first load |", "|---|---|---|"]
    for fault in FAULTS:
        if fault.where == "dbt":
            lines.append(f"| {fault.name} | dbt test `{fault.test}` | yes |")
            continue
        by = "; ".join(f"{found.relation}: {found.expectation}" for found in errors(caught[fault.name])[:2])
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


def dbt_failures(bench: Bench, sql: str) -> list[str]:
    """The dbt tests that fail on a built warehouse with faults."""
    from dbt.cli.main import dbtRunner

    # Until a build is complete, tests look at all rows and not at what changed.
    bench.run(bench.built, bench.lab.settings.warehouse, f"delete from ops.builds; {sql}")
    with bench.lab.environment():
        answer = dbtRunner().invoke(["--quiet", "--log-level", "none", "test", "--target", "dev"])
        Dbt._release()
    return [str(result.node.name) for result in answer.result if str(result.status) == "fail"]
