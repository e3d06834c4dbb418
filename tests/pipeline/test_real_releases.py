"""Two real releases through the command line, checked against their CSV files row by row."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from ingest.schema import TABLES
from pipeline.warehouse import Warehouse, duckdb_warehouse
from tests.conftest import REPO
from tests.pipeline.harness import Batch, Lab
from tests.pipeline.oracle import Oracle, assert_as_told, listed
from tests.pipeline.relations import Row, difference, relations

OLD, NEW = "ml-latest-small-2016-10.zip", "ml-latest-small.zip"
OLD_DAY, NEW_DAY = datetime(2016, 10, 17, tzinfo=UTC), datetime(2018, 9, 26, tzinfo=UTC)


@dataclass(frozen=True)
class Lived:
    """A warehouse after both releases, and what the command line said of each landing."""

    warehouse: Warehouse
    said: list[str]

    def rows(self, sql: str) -> list[Row]:
        """The rows of a query."""
        return self.warehouse.rows(sql)


@cache
def release(path: Path) -> dict[str, list[Row]]:
    """The rows of each table, read with the csv module alone."""
    tables: dict[str, list[Row]] = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            for table in TABLES.values():
                if name.endswith(f"/{table.file}"):
                    text = io.TextIOWrapper(archive.open(name), "utf-8", newline="")
                    tables[table.name] = [tuple(row) for row in csv.reader(text)][1:]
    return tables


def year_and_title(source_title: str) -> tuple[int | None, str]:
    """The year at the end of a title and the title without it, over the forms that these releases have."""
    stripped = source_title.strip()
    found = re.fullmatch(r"(.*?)\s*\((\d{4})(?:\s*[-–]\s*(?:\d{4})?)?\s*\)+", stripped)
    return (int(found[2]), found[1]) if found else (None, stripped)


@pytest.fixture(scope="module")
def lived(releases_folder: Path, parsed: Path, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """2016-10, then 2018-09, then 2018-09 again, each by a command of its own.

    The older archive was zipped anew: its files' dates are not the release's.
    """
    if not (releases_folder / OLD).exists():
        pytest.skip(f"no {OLD} in {releases_folder}: set MOVIELENS_TEST_RELEASES")
    data = tmp_path_factory.mktemp("releases")
    shutil.copytree(parsed, data / "work")
    environment = os.environ | {"MOVIELENS_DATA_DIR": str(data)}
    for name in ("S3_ENDPOINT_URL", "S3_BUCKET", "MOVIELENS_WAREHOUSE"):
        environment.pop(name, None)
    said = []
    for archive, options in ((OLD, ["--as-of", f"{OLD_DAY:%Y-%m-%d}"]), (NEW, []), (NEW, [])):
        source = ["--source", str(releases_folder / archive), *options]
        module = "pipeline" if archive == NEW else "tests.pipeline.harness"  # tested and judged with the new one
        command = [sys.executable, "-m", module, "dev", "ml-latest-small", *source]
        run = subprocess.run(
            command, cwd=REPO, env=environment, capture_output=True, text=True, timeout=600, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr
        said.append(run.stdout)
    return Lived(duckdb_warehouse(data / "warehouse.duckdb", read_only=True), said)


def test_every_value_of_the_marts_is_that_of_the_csv_files(lived: Lived, releases_folder: Path) -> None:
    oracle = Oracle()
    oracle.take(Batch(OLD_DAY, release(releases_folder / OLD)))
    oracle.take(Batch(NEW_DAY, release(releases_folder / NEW)))
    assert_as_told(lived.warehouse, oracle, clock=False)


def test_the_marts_have_the_rows_of_the_second_release(lived: Lived) -> None:
    tables = ("dim_movies", "fact_ratings", "dim_users", "fact_movie_tags", "fact_genome_scores")
    counts = [lived.rows(f"select count(*) from marts.{table}")[0][0] for table in tables]
    assert counts == [9742, 100_836, 610, 3683, 0]
    ((genreless, yearless),) = lived.rows(
        "select count(*) - count(genres), count(*) - count(release_year) from marts.dim_movies"
    )
    assert (genreless, yearless) == (34, 12)  # 13 end in no plain year, one of them in the range (2006–2007)


def test_titles_lose_their_year_and_outer_blanks_and_nothing_else(lived: Lived, releases_folder: Path) -> None:
    found = {
        row[0]: row[1:]
        for row in lived.rows("select movie_id, release_year, title, source_title from marts.dim_movies")
    }
    for movie, title, _ in release(releases_folder / NEW)["movies"]:
        assert found[int(str(movie))] == (*year_and_title(str(title)), title)


def test_history_shows_the_three_movies_that_were_corrected(lived: Lived, releases_folder: Path) -> None:
    old = {row[0]: row[1:] for row in release(releases_folder / OLD)["movies"]}
    new = {row[0]: row[1:] for row in release(releases_folder / NEW)["movies"]}
    assert len(old.keys() & new.keys()) == 7084
    changed = lived.rows(
        "select movie_id, source_title, genres from marts.dim_movies_history where version = 2 order by movie_id"
    )
    assert [movie for movie, *_ in changed] == [117192, 128620, 135569]
    assert all((title, listed(genres)) == (new[str(m)][0], listed(new[str(m)][1])) for m, title, genres in changed)
    changes = [
        str(row[0])
        for row in lived.rows("select change from marts.dim_movies_history where version = 2 order by movie_id")
    ]
    assert [change.partition(":")[0] for change in changes] == ["genres", "genres", "title"]


def test_history_closes_what_left_and_opens_what_came(lived: Lived) -> None:
    spans = Counter(
        (valid_from, valid_to)
        for valid_from, valid_to in lived.rows(
            "select valid_from, valid_to from marts.dim_movies_history where movie_id not in (117192, 128620, 135569)"
        )
    )
    first, second = (row[0] for row in lived.rows("select distinct effective_at from raw.batches order by 1"))
    assert spans == {(first, None): 7081, (first, second): 2041, (second, None): 2658}


def test_the_current_marts_are_those_of_the_second_release_alone(lived: Lived, releases_folder: Path, lab: Lab) -> None:
    dataset = lab.new_dataset()
    lab.land_archive(dataset, releases_folder / NEW)
    lab.apply(dataset)
    left, right = relations(lived.warehouse, history=False), lab.marts()
    assert left == right, difference(left, right)


def test_a_second_run_uploads_nothing_changes_nothing_and_says_so(lived: Lived) -> None:
    assert "0 bytes uploaded" in lived.said[2]
    assert "0 rows changed" in lived.said[2]
    assert lived.rows("select count(distinct batch_id) from raw.batches") == [(2,)]


def test_the_summary_says_what_the_second_release_changed(lived: Lived) -> None:
    added, revised, removed, late = lived.rows(
        "select rows_added, rows_revised, rows_removed, rows_late from intermediate.int_batch_changes "
        "where _batch = 2 and table_name = 'movies'"
    )[0]
    assert (added, revised, removed, late) == (2658, 3, 2041, 0)
    (movies,) = (line for line in lived.said[1].splitlines() if re.search(r"\bmovies\b.*\bfull\b", line))
    assert all(number in movies for number in ("9,742", "2,658", " 3 ", "2,041"))


def test_every_line_of_every_file_is_accounted_for(lived: Lived, releases_folder: Path) -> None:
    read = {
        (row[0], row[1]): row[2:]
        for row in lived.rows("select batch_id, table_name, rows_read, rows_loaded, rows_rejected from raw.load_ledger")
    }
    for batch_id, archive in (("000001", OLD), ("000002", NEW)):
        for table, rows in release(releases_folder / archive).items():
            assert read[batch_id, table] == (len(rows), len(rows), 0)
    assert len(read) == 8
