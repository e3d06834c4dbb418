"""Each planted fault is caught by a check or a dbt test, a clean batch passes, and the table of both is true."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from expectations.connection import Warehouse
from expectations.verdict import Finding, Verdict
from ingest.batches.landing import Landing, land
from ingest.sources.sample.generate import generate
from tests.conftest import REPO
from tests.pipeline.harness import Lab
from tests.pipeline.odd_batches import ODD, Odd
from tests.pipeline.planted_faults import FAULTS, Fault

README = REPO / "expectations" / "README.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"
SAMPLE = ("movies", "ratings", "tags", "links", "genome_scores", "genome_tags")


class Bench:
    """A clean warehouse, copies of it to plant in, and the SQL of dbt's profiles and tests, compiled once."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        self.warehouse, self.built = folder / "warehouse.duckdb", folder / "built.duckdb"
        self.second, self.first = folder / "second.duckdb", folder / "first.duckdb"
        sample = generate(folder / "sample", ratings=30_000)
        name = lab.new_dataset()
        land(Landing(name, folder / "sample", as_of=sample.as_of), lab.store, lab.settings)
        lab.apply(name)
        shutil.copy(lab.settings.warehouse, self.built)
        self.run(self.built, self.second, _SECOND_BATCH)
        self.run(self.built, self.first, _NOTHING_BUILT)
        self.profiles = self.compiled("path:models/quality")
        self.tests = self.compiled("resource_type:test")

    def compiled(self, selected: str) -> Mapping[str, str]:
        """The SQL of some nodes by name, as it is where nothing has been built before."""
        with self.lab.environment():
            results = self.lab._context.dbt._invoke(
                "compile", "--select", selected, "--full-refresh", doing="compiling"
            )
        return {result.node.name: result.node.compiled_code for result in results}

    @staticmethod
    def run(source: Path, target: Path, sql: str) -> None:
        """SQL on a copy."""
        shutil.copy(source, target)
        with duckdb.connect(str(target)) as connection:
            connection.execute(sql)

    def plant(self, fault: Fault | None, *, first: bool = False) -> None:
        """A batch with a fault: the first one of all, or one that follows a built one."""
        batch = "000001" if first else "000002"
        sql = fault.sql.replace("{batch}", batch).replace("{{", "{").replace("}}", "}") if fault else ""
        booked = _BOOK.replace("{batch}", batch) if fault and fault.where == "source" else ""
        self.run(self.first if first else self.second, self.warehouse, f"{sql}; {booked}")

    def judged(self, *accepted: str) -> Verdict:
        """What the checks find in the newest batch, measured as dbt does."""
        from expectations.judge import judge

        with duckdb.connect(str(self.warehouse)) as connection:
            connection.execute("create schema if not exists quality")
            for name, sql in self.profiles.items():
                connection.execute(f"create or replace table quality.{name} as {sql}")
        return judge(Warehouse(self.warehouse), self.folder / "results", accepted=accepted)

    def failing_tests(self) -> list[str]:
        """The dbt tests that find something."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            return [name for name, sql in self.tests.items() if _finds_something(connection, sql)]


def _finds_something(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    try:
        return connection.execute(sql).fetchone() is not None
    except duckdb.Error:
        return True  # dbt reports an error of a test as a failure


# The same content again as a second batch, one day later.
_SECOND_BATCH = (
    ";".join(f"insert into raw.{table} select * replace (2 as _batch) from raw.{table}" for table in SAMPLE)
    + """;
    insert into raw.batches
    select * replace (
        '000002' as batch_id, 2 as _batch, as_of + interval 1 day as as_of, effective_at + interval 1 day as effective_at
    ) from raw.batches;
    insert into raw.load_ledger select * replace ('000002' as batch_id) from raw.load_ledger;
    insert into raw.files select * replace ('000002' as batch_id, 2 as _batch) from raw.files;
"""
)
_NOTHING_BUILT = ";".join(
    f"drop schema {schema} cascade" for schema in ("staging", "intermediate", "quality", "marts", "snapshots")
)
# The ledger as the load would have written it.
_BOOK = ";".join(
    f"update raw.load_ledger set rows_loaded = (select count(*) from raw.{table} where _batch = {{batch}}),"
    f" rows_read = rows_rejected + (select count(*) from raw.{table} where _batch = {{batch}})"
    f" where batch_id = '{{batch}}' and table_name = '{table}'"
    for table in SAMPLE
)


@pytest.fixture(scope="module")
def bench(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(lab, tmp_path_factory.mktemp("faults"))


@pytest.fixture(scope="module")
def caught(bench: Bench) -> dict[str, tuple[str, ...]]:
    """What catches each fault: the checks that stop the run, or the dbt tests that fail."""
    found = {}
    for fault in FAULTS:
        bench.plant(fault)
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
            bench.plant(fault, first=True)
            found[fault.name] = {finding.severity for finding in bench.judged().findings}
    return found


@pytest.mark.parametrize("first", [True, False])
def test_a_clean_batch_passes_without_a_word(bench: Bench, first: bool) -> None:
    bench.plant(None, first=first)
    verdict = bench.judged()
    assert verdict.findings == ()
    assert verdict.batches == ("000001" if first else "000002",)
    assert verdict.evaluated > 60


def test_a_clean_warehouse_passes_every_dbt_test(bench: Bench) -> None:
    bench.plant(None)
    assert bench.failing_tests() == []


def test_a_delta_is_no_sample_and_its_distribution_only_warns(bench: Bench) -> None:
    ratings = """
        delete from raw.ratings where _batch = 2 and _row % 5 != 0;
        update raw.ratings set rating = 0.5, timestamp = 2000000000 where _batch = 2;
        update raw.batches set mode = '{mode}' where _batch = 2 and table_name = 'ratings';
    """
    found: dict[str, Verdict] = {}
    for mode in ("delta", "full"):
        bench.run(bench.second, bench.warehouse, ratings.format(mode=mode) + _BOOK.replace("{batch}", "000002"))
        found[mode] = bench.judged()
    distribution = {"raw.ratings.rating (mean)", "raw.ratings.rating (stdev)", "profile_ratings.whole_star_share"}
    assert found["delta"].of("error") == ()
    assert subjects(found["delta"].of("warning")) >= distribution
    assert subjects(found["full"].of("error")) >= distribution


def test_an_accepted_batch_only_warns(bench: Bench) -> None:
    bench.plant(next(fault for fault in FAULTS if fault.name == "one genre is renamed"))
    verdict = bench.judged("000002")
    assert verdict.passed
    found = {finding.subject: finding for finding in verdict.of("warning")}
    assert found["profile_movies.share_with_unknown_genre"].rows, "what was accepted can still be looked at"


DEALT_ANEW = """
    create temp table dealt as select user_id, dense_rank() over (order by hash(user_id)) as other from
        (select distinct user_id from raw.ratings where _batch = 2);
    update raw.ratings set user_id = other from dealt where _batch = 2 and ratings.user_id = dealt.user_id;
    update raw.tags set user_id = other from dealt where _batch = 2 and tags.user_id = dealt.user_id;
    {missing}
"""


@pytest.mark.parametrize("missing", ["", "delete from raw.tags where _batch = 2 and mod(user_id, 3) > 0;"])
def test_a_release_that_deals_its_users_anew_passes_with_warnings(bench: Bench, missing: str) -> None:
    bench.run(bench.second, bench.warehouse, DEALT_ANEW.format(missing=missing) + _BOOK.replace("{batch}", "000002"))
    verdict = bench.judged()
    assert verdict.of("error") == ()
    assert "profile_rating_changes.kept_share" in subjects(verdict.of("warning"))


def test_less_than_half_of_the_same_users_ratings_is_a_fault(bench: Bench) -> None:
    sql = "delete from raw.ratings where _batch = 2 and mod(_row, 5) > 0;" + _BOOK.replace("{batch}", "000002")
    bench.run(bench.second, bench.warehouse, sql)
    assert "profile_rating_changes.ratings_multiple" in subjects(bench.judged().of("error"))


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.name)
def test_a_batch_that_nobody_planned_for_is_judged_fairly(bench: Bench, odd: Odd) -> None:
    bench.run(bench.second, bench.warehouse, f"{odd.sql};" + _BOOK.replace("{batch}", "000002"))
    verdict = bench.judged()
    outcome = "stops" if verdict.of("error") else "warns" if verdict.findings else "passes"
    assert outcome == odd.outcome, verdict.summary()


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


def subjects(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.subject for finding in findings}
