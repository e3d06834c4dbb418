"""The parts of the gate: measures and bands, the shim, the worker and its client, verdicts, pages."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from expectations.client import Gate, GateError
from expectations.measure import SCHEMAS, Band, State, Suite, always, at_least, at_most, value, worst
from expectations.suites import SUITES
from expectations.suites.columns import RAW
from expectations.suites.movies import GENRES
from expectations.verdict import Failure, Verdict, amount, wanted
from ingest.schema import TABLES
from tests.conftest import REPO

TYPES = {
    "integer": "bigint",
    "text": "varchar",
    "decimal": "decimal(2, 1)",
    "double": "double",
    "timestamp": "timestamp",
}
FAILURE = Failure(
    "error", "raw.ratings", "Mean rating", "4.1 stars", "3.2 stars to 3.8 stars", ("user 1 [x]",), "000002"
)
STATE = State("000002", 0, {"ratings": "full"}, {"ratings": "000002"}, {"ratings": "000002"}, {}, frozenset(), "ci_")


def warehouse(folder: Path, movies: int = 150) -> Path:
    """A loaded batch of movies and ratings, before anything is built."""
    path = folder / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema raw; create schema ops; create table ops.builds (batch_id varchar)")
        for table, columns in RAW.items():
            typed = ", ".join(f"{name} {TYPES[kind]}" for name, kind in (pair.split() for pair in columns.split(", ")))
            connection.execute(f"create table raw.{table} ({typed})")
        connection.execute(
            f"insert into raw.movies select i, 'Movie ' || i || ' (1990)', 'Drama', 1, 0, i"
            f" from range(1, {movies + 1}) as t(i);"
            f"insert into raw.ratings select 1 + i // 20, 1 + i % 20, 3.0 + i % 3, 1000000000 + i, 1, 0, i"
            f" from range(200) as t(i)"
        )
        for table in ("movies", "ratings"):
            connection.execute(
                f"insert into raw.batches values ('000001', 1, 'd', '2001-09-10', '2001-09-10', '{table}', 'full');"
                f"insert into raw.load_ledger select '000001', '{table}', 'f', count(*), count(*), 0, now() from raw.{table}"
            )
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with a warehouse, named in the environment."""
    path = tmp_path_factory.mktemp("expectations")
    warehouse(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOVIELENS_DATA_DIR", str(path))
        patch.delenv("MOVIELENS_SCHEMA_PREFIX", raising=False)
        yield path


@pytest.fixture(scope="module")
def gate(folder: Path) -> Iterator[Gate]:
    """The gate of that warehouse, opened once."""
    with Gate("dev") as opened:
        yield opened


# ---------- measures


def test_a_band_includes_its_ends() -> None:
    assert Band(1, 2).holds(1)
    assert Band(1, 2).holds(2)
    assert not Band(1, 2).holds(2.01)
    assert at_most(0).holds(-1)
    assert not at_least(1).holds(0.99)


def test_a_suite_is_one_query_with_a_branch_for_each_measure() -> None:
    for suite in SUITES:
        assert suite.query().count(" as measure, cast(subject as varchar)") == len(suite.measures)
        assert len({measure.name for measure in suite.measures}) == len(suite.measures)
    assert len({suite.name for suite in SUITES}) == len(SUITES)


def test_every_measure_says_when_it_stops_or_warns() -> None:
    for suite in SUITES:
        for measure in suite.measures:
            assert measure.error or measure.warn, f"{suite.name}: {measure.name}"


def test_no_placeholder_is_left_in_a_rendered_query() -> None:
    for suite in SUITES:
        assert "{" not in STATE.render(suite.query()), suite.name


def test_no_query_says_what_snowflake_does_not_understand() -> None:
    from tests.snowflake.dialect import check

    state = dataclasses.replace(STATE, prefix="")
    queries = [(suite.name, state.render(suite.query())) for suite in SUITES]
    assert [finding for name, sql in queries for finding in check(sql, name)] == []


def test_schemas_carry_the_prefix() -> None:
    sql = STATE.render(" ".join(f"{{{schema}}}.t" for schema in SCHEMAS))
    assert sql == " ".join(f"ci_{schema}.t" for schema in SCHEMAS)


def test_only_large_tables_are_sampled() -> None:
    small, large = (dataclasses.replace(STATE, loaded={"ratings": rows}) for rows in (2_000_000, 20_000_000))
    assert small.render("{step:ratings}") == "1"
    assert large.render("{step:ratings}") == "40"


def test_a_suite_waits_for_the_relations_it_needs() -> None:
    suite = Suite("raw.ratings", "raw", (), needs=("marts.fact_ratings",), when=always)
    assert not suite.applies(dataclasses.replace(STATE, relations=frozenset({"raw.ratings"})))
    assert suite.applies(dataclasses.replace(STATE, relations=frozenset({"raw.ratings", "marts.fact_ratings"})))


def test_genres_are_those_of_the_seed() -> None:
    seed = (REPO / "transform" / "seeds" / "genre_names.csv").read_text().splitlines()[1:]
    assert tuple(line.split(",")[0] for line in seed) == GENRES


def test_raw_columns_are_those_of_the_schema() -> None:
    for name, table in TABLES.items():
        columns = [pair.split()[0] for pair in RAW[name].split(", ")]
        assert columns == [*(column.name for column in table.columns), "_batch", "_part", "_row"]


def test_values_farthest_out_come_first() -> None:
    sql = worst("name", "n", "(values ('a', 1), ('b', 9), ('c', 5)) as t(name, n)", "n")
    assert [row[0] for row in duckdb.sql(sql).fetchall()] == ["b", "c", "a"]
    assert duckdb.sql(value("n", "(select 1 as n) as t", where="n > 1")).fetchall() == []


# ---------- verdicts


def test_a_verdict_survives_its_journey() -> None:
    verdict = Verdict("raw", False, 3, (FAILURE,), 0.5)
    assert Verdict.from_json(verdict.to_json()) == verdict
    assert "\n" not in verdict.to_json()
    with pytest.raises(ValueError, match="not a verdict"):
        Verdict.from_json('{"stage": "raw"}')


def test_a_table_names_everything_that_a_person_needs() -> None:
    console = Console(width=160, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    (table,) = Verdict("raw", False, 3, (FAILURE,), 0.5).tables()
    console.print(table)
    text = console.export_text()
    for word in ("000002", "raw.ratings", "Mean rating", "4.1 stars", "3.2 stars to 3.8", "user 1 [x]"):
        assert word in text
    assert Verdict("raw", True, 3, (), 0.5).tables() == ()


@pytest.mark.parametrize(
    ("band", "unit", "text"),
    [
        (at_most(0), "rows", "none"),
        (at_most(0.01), "share", "at most 1.00%"),
        (at_least(0.8), "times", "at least 0.8 times"),
        (Band(2.5, 4.25), "stars", "2.5 stars to 4.25 stars"),
    ],
)
def test_bands_are_written_as_people_write_them(band: Band, unit: str, text: str) -> None:
    assert wanted(band, unit) == text  # type: ignore[arg-type]


def test_numbers_are_written_as_people_write_them() -> None:
    assert amount(1234, "rows") == "1,234 rows"
    assert amount(0.5, "share") == "50.0%"
    assert amount(0.0012, "share") == "0.12%"


# ---------- the worker and its client


def test_the_client_imports_no_great_expectations() -> None:
    code = (
        "import sys, expectations.client; sys.exit(any(name.startswith('great_expectations') for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPO, timeout=60)


def test_great_expectations_starts_without_the_statistics_that_no_suite_needs() -> None:
    code = """
import sys
from expectations.put_off import put_off
put_off("scipy.stats")
import expectations.runner
assert "scipy.stats.distributions" not in sys.modules, "it was executed"
from scipy import stats
assert stats.norm.cdf(0) == 0.5, "it cannot be used"
"""
    subprocess.run([sys.executable, "-c", code], cwd=REPO, check=True)


def test_a_clean_batch_passes(gate: Gate) -> None:
    verdict = gate.check("raw")
    assert verdict.passed
    assert verdict.failures == ()
    assert verdict.evaluated > 20
    assert gate.start_seconds is not None


def test_the_warehouse_is_free_between_checks(gate: Gate, folder: Path) -> None:
    gate.check("raw")
    duckdb.connect(str(folder / "warehouse.duckdb")).close()


def test_a_failure_names_relation_value_rows_and_batch(gate: Gate, folder: Path) -> None:
    on_warehouse(folder, "update raw.movies set genres = 'Drama|Dramedy' where movie_id <= 20")
    verdict = gate.check("raw")
    on_warehouse(folder, "update raw.movies set genres = 'Drama'")
    assert not verdict.passed
    (failure,) = verdict.of("error")
    assert failure.relation == "raw.movies"
    assert failure.observed == "13.3%"
    assert failure.expected == "at most 1.00%"
    assert failure.batch_id == "000001"
    assert 0 < len(failure.rows) <= 5
    assert "Dramedy" in failure.rows[0]


def test_a_few_rows_warn_and_do_not_stop(gate: Gate, folder: Path) -> None:
    on_warehouse(folder, "update raw.movies set genres = 'Dramedy' where movie_id = 7")
    verdict = gate.check("raw")
    on_warehouse(folder, "update raw.movies set genres = 'Drama'")
    assert verdict.passed
    assert [failure.severity for failure in verdict.failures] == ["warning"]


def test_a_broken_relation_is_named_and_the_other_suites_still_run(gate: Gate, folder: Path) -> None:
    on_warehouse(folder, "alter table raw.movies rename genres to genre")
    verdict = gate.check("raw")
    on_warehouse(folder, "alter table raw.movies rename genre to genres")
    found = {failure.relation: failure for failure in verdict.of("error")}
    assert "raw.movies.genres is missing" in " ".join(found["information_schema.columns"].rows).replace(": ", ".")
    assert found["raw.movies"].observed.startswith("could not be evaluated")
    assert "raw.ratings" not in found


def test_the_pages_need_no_network(gate: Gate) -> None:
    from expectations.docs import loads_from_elsewhere

    front = gate.docs()
    pages = list(front.parent.rglob("*.html"))
    assert len(pages) > len(SUITES)
    assert [page.name for page in pages if loads_from_elsewhere(page.read_text())] == []
    assert "<script" not in front.read_text()
    assert "raw.movies" in front.read_text()
    page = next(page for page in pages if "validations" in page.parts and page.name.endswith("raw.movies.html"))
    assert "Titles that do not end in a year" in page.read_text()
    assert "../index.html" in page.read_text()


def test_a_page_that_loads_something_is_told_apart() -> None:
    from expectations.docs import loads_from_elsewhere

    assert loads_from_elsewhere('<link rel="stylesheet" href="https://x.org/a.css">')
    assert loads_from_elsewhere('<img alt="" src = "//x.org/a.png">')
    assert loads_from_elsewhere("<style>@import 'a.css'; b { background: url(http://x.org) }</style>")
    assert not loads_from_elsewhere('<a href="https://x.org">there</a><img src="a.png">')


def test_great_expectations_keeps_no_address(gate: Gate, folder: Path) -> None:
    kept = "".join(path.read_text() for path in (folder / "expectations" / "dev").rglob("*.yml"))
    assert "duckdb:///:memory:" in kept
    assert "warehouse.duckdb" not in kept


def test_a_damaged_context_is_written_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from expectations.runner import Runner

    monkeypatch.setenv("MOVIELENS_DATA_DIR", str(folder))
    Runner("dev").prepare()
    (folder / "expectations" / "dev" / "gx" / "great_expectations.yml").write_text("nonsense")
    assert Runner("dev").check("raw").passed


def test_a_kept_context_is_read_and_not_written_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from expectations.runner import Runner

    monkeypatch.setenv("MOVIELENS_DATA_DIR", str(folder))
    Runner("dev").prepare()
    monkeypatch.setattr(Runner, "_write", lambda *_: pytest.fail("it was written again"))
    assert Runner("dev").check("raw").passed


def test_an_unknown_stage_is_refused(gate: Gate) -> None:
    with pytest.raises(GateError, match="unknown command"):
        gate.check("nonsense")


def test_a_worker_that_dies_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "great_expectations"
    package.mkdir()
    (package / "__init__.py").write_text("raise MemoryError('out of luck')")
    monkeypatch.setattr("expectations.client._ROOT", tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    with Gate("dev") as gate, pytest.raises(GateError, match="out of luck"):
        gate.check("raw")


def test_without_credentials_the_gate_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    from expectations.connection import ConnectionNeeds, address

    for name in [name for name in os.environ if name.startswith("SNOWFLAKE_")]:
        monkeypatch.delenv(name)
    with pytest.raises(ConnectionNeeds, match="SNOWFLAKE_ACCOUNT and SNOWFLAKE_USER"):
        address("prod")


def test_an_empty_folder_is_one_clear_error(tmp_path: Path) -> None:
    answer = run_module(tmp_path, "--stage", "raw")
    assert answer.returncode == 2
    assert "is not there" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_an_accepted_batch_is_told_and_passes_but_not_its_books(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from expectations.runner import Runner

    warehouse(tmp_path)
    on_warehouse(tmp_path, "update raw.movies set genres = 'Dramedy'; delete from raw.movies where movie_id > 140")
    monkeypatch.setenv("MOVIELENS_DATA_DIR", str(tmp_path))
    verdict = Runner("dev", accepted=frozenset({"000001"})).check("raw")
    assert [failure.relation for failure in verdict.of("error")] == ["raw.load_ledger"]
    assert "raw.movies" in {failure.relation for failure in verdict.of("warning")}


# ---------- the shim


@pytest.fixture
def counts_rows(tmp_path: Path) -> Callable[[], bool]:
    """Whether Great Expectations can count the rows of a DuckDB table."""
    path = warehouse(tmp_path)

    def count() -> bool:
        import great_expectations as gx

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
        source = context.data_sources.add_sql("w", connection_string=f"duckdb:///{path}")
        batch = source.add_query_asset("q", query="select * from raw.movies").add_batch_definition_whole_table("b")
        expected = gx.expectations.ExpectTableRowCountToEqual(value=150)
        return bool(batch.get_batch().validate(expected).success)

    return count


def test_with_the_shim_great_expectations_works_on_duckdb(counts_rows: Callable[[], bool]) -> None:
    from expectations import duckdb_shim

    duckdb_shim.install()
    assert counts_rows()


def test_without_the_shim_it_does_not(counts_rows: Callable[[], bool]) -> None:
    from expectations import duckdb_shim

    duckdb_shim.remove()
    try:
        assert not counts_rows(), "upstream has fixed it: expectations/duckdb_shim.py can go"
    finally:
        duckdb_shim.install()


def on_warehouse(folder: Path, sql: str) -> None:
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute(sql)


def run_module(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "expectations", *arguments],
        cwd=REPO,
        env={**os.environ, "MOVIELENS_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
