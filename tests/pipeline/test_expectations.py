"""The gate on a warehouse: its process, its queries, its pages, and the one weakness of the driver."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from typer import Exit

from expectations import checks
from expectations.checks import Check
from expectations.connection import Warehouse, read_all_rows
from expectations.gate import Gate
from profiles.errors import PipelineError
from tests.conftest import REPO

# On a table in SQL they only fail, or take no argument that says what to judge.
FOR_PANDAS_ALONE = {
    "ExpectColumnValuesToBeDateutilParseable", "ExpectColumnValuesToBeDecreasing", "ExpectColumnValuesToBeIncreasing",
    "ExpectColumnValuesToBeJsonParseable", "ExpectColumnValuesToMatchJsonSchema", "ExpectMulticolumnValuesToBeUnique",
}  # fmt: skip


def test_what_is_known_of_great_expectations_is_what_it_has() -> None:
    import great_expectations as gx
    from great_expectations.expectations.expectation import BatchExpectation

    shipped = {name for name in dir(gx.expectations) if name.startswith(("Expect", "Unexpected"))} - {"Expectation"}
    assert shipped - {name for name in shipped if checks.gx_schema(name)} == FOR_PANDAS_ALONE
    for name in shipped - FOR_PANDAS_ALONE:
        fields = getattr(gx.expectations, name).__fields__.items()
        needed = {field: kind.required for field, kind in fields if field not in BatchExpectation.__fields__}
        schema = checks.gx_schema(name)
        known = {field: field in schema.get("required", ()) for field in schema["properties"]}
        assert {field: known[field] for field in set(known) - checks.OF_EVERY_EXPECTATION} == needed
    assert {"metadata", *BatchExpectation.__fields__} == checks.OF_EVERY_EXPECTATION


def build(path: Path, **values: object) -> Path:
    """A warehouse with one measured batch: movies, with the given numbers and none of the others."""
    columns = dict.fromkeys(checks.contracts()["quality.profile_movies"], None) | {
        "_batch": 1, "batch_id": "000001", "mode": "full", "movies": 1000, "movies_with_unknown_genre": 0,
        "share_with_unknown_genre": 0.0, **values,
    }  # fmt: skip
    named = ", ".join(f"{'null' if value is None else repr(value)} as {name}" for name, value in columns.items())
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"""
            create schema raw; create schema quality; create schema seeds;
            create table raw.batches as select '000001' as batch_id;
            create table raw.movies as select 1 as _batch, 7 as movie_id, 'M' as title, 'Dramedy' as genres;
            create table seeds.genre_names as select 'Drama' as genre;
            create table quality.profile_movies as select {named}
        """)
    return path


pytestmark = pytest.mark.filterwarnings("ignore:`schema_name` is deprecated")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with a warehouse, named in the environment."""
    folder = tmp_path_factory.mktemp("gate")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOVIELENS_DATA_DIR", str(folder))
        for name in ("MOVIELENS_WAREHOUSE", "MOVIELENS_SCHEMA_PREFIX", "MOVIELENS_RAW_PREFIX"):
            patch.delenv(name, raising=False)
        yield folder


@pytest.fixture
def warehouse(data: Path) -> Iterator[Path]:
    path = data / "warehouse.duckdb"
    yield path
    path.unlink(missing_ok=True)


def test_a_finding_names_value_bounds_reason_rows_and_batch(gate: Gate, warehouse: Path) -> None:
    build(warehouse, movies_with_unknown_genre=150, share_with_unknown_genre=0.15)
    verdict = gate.check()
    assert not verdict.passed
    (finding,) = verdict.findings
    assert (finding.severity, finding.batch_id) == ("error", "000001")
    assert (finding.subject, finding.observed) == ("profile_movies.share_with_unknown_genre", "15.0%")
    assert finding.expected == "at most 1.00%"
    assert "misspelt" in finding.why
    assert finding.rows == ("movie_id 7, title M, genres Dramedy",)


def test_few_rows_warn_and_do_not_stop(gate: Gate, warehouse: Path) -> None:
    build(warehouse, movies_with_unknown_genre=9, share_with_unknown_genre=0.9)
    verdict = gate.check(["000001"])
    assert verdict.passed
    assert [finding.severity for finding in verdict.findings] == ["warning"]


def test_a_number_that_is_null_has_nothing_to_judge(gate: Gate, warehouse: Path) -> None:
    build(warehouse, share_with_unknown_genre=None)
    verdict = gate.check()
    assert (verdict.findings, verdict.evaluated) == ((), 0)


def test_a_batch_without_a_profile_does_not_pass(gate: Gate, warehouse: Path) -> None:
    build(warehouse)
    (finding,) = gate.check(["000002"]).of("error")
    assert finding.observed == "no profile"


def test_the_warehouse_is_free_between_questions(gate: Gate, warehouse: Path) -> None:
    build(warehouse)
    gate.check()
    duckdb.connect(str(warehouse)).close()


def test_a_missing_warehouse_is_one_clear_error(gate: Gate, warehouse: Path) -> None:
    with pytest.raises(PipelineError, match=r"there is no warehouse at .*: run `nox -s dev` first"):
        gate.check()


LOADS = re.compile(
    r"<(?:script|img|iframe|link|source|embed|object)\b[^>]*?(?:src|href|data)\s*=\s*[\"']?\s*(?:https?:)?//"
    r"|@import|url\(\s*[\"']?(?:https?:)?//",
    re.I,
)


def test_the_pages_need_no_network_and_say_why(gate: Gate, warehouse: Path, tmp_path: Path) -> None:
    from pipeline.site.data_docs import build as build_docs

    build(warehouse, share_with_unknown_genre=0.9, movies_with_unknown_genre=9)
    gate.check()
    build_docs("dev", tmp_path / "pages")
    front = tmp_path / "pages" / "index.html"
    pages = {page: page.read_text() for page in front.parent.rglob("*.html")}
    assert [page.name for page, html in pages.items() if LOADS.search(html) or "<script" in html] == []
    assert "quality.profile_movies" in pages[front] and "warned" in pages[front]
    judged = next(html for page, html in pages.items() if "validations" in page.parts)
    assert "share_with_unknown_genre" in judged and "../index.html" in judged
    assert any("19 genres since 1995" in html for page, html in pages.items() if "expectations" in page.parts[-3:])


def test_a_page_that_loads_something_is_recognised() -> None:
    assert LOADS.search('<link rel="stylesheet" href="https://x.org/a.css">')
    assert LOADS.search('<img alt="" src = "//x.org/a.png">')
    assert LOADS.search("<style>@import 'a.css'; b { background: url(http://x.org) }</style>")
    assert not LOADS.search('<a href="https://x.org">there</a><img src="a.png">')


def test_a_process_that_dies_is_one_clear_error(data: Path) -> None:
    with Gate("dev") as gate:
        gate.prepare()
        gate._process.kill()
        with pytest.raises(PipelineError, match="its process has ended"):
            gate.check()


RUN = """
import sys
from pathlib import Path
from expectations import checks
from pipeline.__main__ import app
read = checks.read
checks.read = lambda: read(Path(sys.argv[1]))
app(["dev", "sample"])
"""


def test_a_run_with_a_wrong_line_is_refused_before_anything_is_landed(tmp_path: Path) -> None:
    (tmp_path / "suite.yml").write_text("checks:\n  - {severity: warning}\n")
    refused = subprocess.run(
        [sys.executable, "-c", RUN, tmp_path],
        cwd=REPO,
        env={**os.environ, "MOVIELENS_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert refused.returncode == 1
    assert "suite.yml:2: `relation`: Field required" in refused.stderr
    assert not any((tmp_path / "data" / name).exists() for name in ("s3", "warehouse.duckdb"))


def check(relation: str, expectation: str, **given: Any) -> Check:
    return Check.model_validate(
        {"relation": relation, "expectation": expectation, "severity": "error", "why": "It is so.", **given}
    )


def test_a_mean_and_rows_are_judged_on_the_relation_itself(tmp_path: Path) -> None:
    from expectations.judge import judge

    path = tmp_path / "w.duckdb"
    build(path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table raw.ratings as select * from (values (1, 1.0), (2, 5.0)) as t(_batch, rating)")
        connection.execute("create table quality.profile_ratings as select _batch, 1 as ratings from raw.ratings")
        connection.execute("insert into raw.batches values ('000002'); update quality.profile_movies set _batch = 2")
    mean = check("raw.ratings", "ExpectColumnMeanToBeBetween", column="rating", min_value=2, max_value=4)
    few = mean.model_copy(update={"expectation": "ExpectColumnMaxToBeBetween", "when": "ratings > 1"})
    rows = "select rating from {raw}.ratings where _batch = {batch}"
    listed = check("raw.ratings", "UnexpectedRowsExpectation", severity="warning", unexpected_rows_query=rows)
    measured = check("quality.profile_movies", "ExpectColumnMaxToBeBetween", column="movies", min_value=1)
    batches = ["000001", "000002"]
    verdict = judge(Warehouse(path), tmp_path / "home", batches, checks=[mean, few, listed, measured])
    found = {(finding.batch_id, finding.subject): finding for finding in verdict.findings}
    assert [found[batch, "raw.ratings.rating (mean)"].observed for batch in batches] == ["1", "5"]
    assert [found[batch, "raw.ratings"].rows for batch in batches] == [("rating 1.0",), ("rating 5.0",)]
    assert len(found) == 4 and verdict.evaluated == 5


def test_a_warehouse_without_a_batch_has_nothing_to_judge(tmp_path: Path) -> None:
    from expectations.judge import judge

    path = build(tmp_path / "w.duckdb")
    with duckdb.connect(str(path)) as connection:
        connection.execute("delete from raw.batches")
    with pytest.raises(PipelineError, match="no batch is loaded"):
        judge(Warehouse(path), tmp_path / "home")


def test_what_was_measured_costs_two_queries_however_many_checks_and_batches(tmp_path: Path) -> None:
    from expectations.judge import judge

    asked: list[object] = []

    class Counted(Warehouse):
        def connect(self) -> Any:
            connection = super().connect()
            cursor = connection.cursor
            connection.cursor = lambda: asked.append(None) or cursor()
            return connection

    verdict = judge(Counted(build(tmp_path / "w.duckdb")), tmp_path / "home", ["000001", "000002"])
    assert [finding.observed for finding in verdict.findings] == ["no profile"]
    assert len(asked) == 3, "SQLAlchemy's first, which relations there are, and what was measured"


def test_without_the_listener_great_expectations_reads_no_rows_on_duckdb(tmp_path: Path) -> None:
    from expectations.judge import judge

    warehouse = Warehouse(build(tmp_path / "w.duckdb"))
    highest = check("raw.movies", "ExpectColumnMaxToBeBetween", column="movie_id", max_value=9)
    event.remove(Engine, "after_cursor_execute", read_all_rows)
    try:
        (found,) = (
            each.observed for each in judge(warehouse, tmp_path / "home", ["000001"], checks=[highest]).findings
        )
    finally:
        event.listen(Engine, "after_cursor_execute", read_all_rows)
    assert "could not be evaluated" in found, "upstream has fixed it: read_all_rows can go"


def test_the_command_shows_what_it_finds(gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline import __main__ as command

    build(tmp_path / "warehouse.duckdb", share_with_unknown_genre=0.5, movies_with_unknown_genre=500)
    monkeypatch.setenv("MOVIELENS_DATA_DIR", str(tmp_path))
    call = [sys.executable, "-m", "pipeline", "judge"]
    answer = subprocess.run(call, cwd=REPO, capture_output=True, text=True, timeout=120, check=False)
    assert answer.returncode == 1, answer.stderr
    assert "profile_movies.share_with_unknown_genre" in answer.stdout
    monkeypatch.setattr(command, "Gate", lambda _: nullcontext(gate))
    with pytest.raises(Exit) as ended:
        command.judge(accept=["000001"])
    assert ended.value.exit_code == 0
