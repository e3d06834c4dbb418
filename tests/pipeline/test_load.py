"""What the load writes beside the values: where each row came from."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from unittest import mock

import duckdb
import pytest

from ingest.schema import TABLES
from pipeline.dbt import Dbt
from profiles.errors import PipelineError
from tests.pipeline.generated import START
from tests.pipeline.harness import Batch, Lab, QuickDbt
from tests.pipeline.relations import Row

LINES = 300_000  # DuckDB reads and scans in pieces of 122,880 rows, each by any of its threads


def test_the_rows_of_a_part_are_numbered_as_its_lines(lab: Lab) -> None:
    dataset = lab.new_dataset()
    ratings = [(1 + line // 1000, 1 + line % 1000, "4.0", line) for line in range(1, LINES + 1)]
    movies = [(1, "One (2001)", "Drama")]
    manifest = lab.manifest(dataset, Batch(START, {"movies": movies, "ratings": ratings}))
    lab.load(manifest)

    assert lab.rows("select count(*), min(_row), max(_row), count(distinct _row) from raw.ratings") == [
        (LINES, 1, LINES, LINES)
    ]
    assert lab.rows("select * from raw.ratings where _row != timestamp limit 3") == []
    assert lab.rows("select distinct _batch, _part from raw.ratings") == [(1, 0)]


def test_a_data_test_that_fails_shows_the_rows_that_it_found(lab: Lab) -> None:
    dataset = lab.new_dataset()
    lab.manifest(dataset, Batch(START, {"movies": [(1, "One (2001)", "Drama")], "ratings": [(1, 1, "4.0", 1)]}))
    lab.apply(dataset)
    with duckdb.connect(str(lab.settings.warehouse)) as warehouse:
        warehouse.execute("update raw.batches set mode = 'partly' where table_name = 'movies'")
    found = r"1 failed, 0 skipped.*\n.*\n    batch_id 000001, fault movies is neither whole nor a delta\n"
    with lab.environment(), pytest.raises(PipelineError, match=found):
        QuickDbt("dev")._invoke("test", "--select", "batches_are_whole_and_in_order", doing="testing")


def test_raw_files_lead_from_a_row_to_its_line_in_the_source(lab: Lab) -> None:
    dataset = lab.new_dataset()
    lines = ["1,1,4.0,1", "1,2,4.0,1", "none", "1,3,4.0,1"]
    movies = [(1, "One (2001)", "Drama")]
    rows = [tuple(line.split(",")) for line in lines]
    manifest = lab.manifest(dataset, Batch(START, {"movies": movies, "ratings": rows}))
    lab.load(manifest)

    (part,) = manifest.tables["ratings"].parts
    found = lab.rows(
        "select movie_id, _row, key, source_file, first_line, row_count from raw.ratings "
        "join raw.files using (_batch, _part) where table_name = 'ratings' order by movie_id"
    )
    assert found == [(movie, movie, part.key, "ratings.csv", 2, 3) for movie in (1, 2, 3)]


def test_a_new_column_of_a_source_is_null_where_it_was_landed_without(lab: Lab) -> None:
    dataset = lab.new_dataset()
    users = TABLES["users"]
    with mock.patch.dict(TABLES, users=replace(users, columns=users.columns[:-1])):
        rows = {
            "movies": [(1, "One (2001)", "Drama")],
            "ratings": [(1, 1, "4.0", 1)],
            "users": [(1, "F", 25, "artist")],
        }
        lab.manifest(dataset, Batch(START, rows))
    lab.apply(dataset)
    assert lab.rows("select user_id, occupation, zip_code from marts.dim_users") == [(1, "artist", None)]

    with duckdb.connect(str(lab.settings.warehouse)) as connection:  # as it was built before there was the column
        connection.execute("alter table raw.users drop column zip_code")
    more: dict[str, Sequence[Row]] = {"users": [(2, "M", 35, "writer", "94043")]}
    lab.manifest(dataset, Batch(START + timedelta(days=1), more, {"users": "delta"}))
    lab.apply(dataset)
    assert lab.rows("select user_id, occupation, zip_code from marts.dim_users order by user_id") == [
        (1, "artist", None),
        (2, "writer", "94043"),
    ]


class Forgetful(QuickDbt):
    """dbt that leaves the tests out, as a variable or a flag of its own can make it."""

    _all_tested = Dbt._all_tested


def test_a_build_that_ran_fewer_tests_than_it_owed_is_an_error(lab: Lab) -> None:
    dataset = lab.new_dataset()
    lab.load(
        lab.manifest(dataset, Batch(START, {"movies": [(1, "One (2001)", "Drama")], "ratings": [(1, 1, "4.0", 1)]}))
    )
    with lab.environment(), pytest.raises(PipelineError, match="did not run, though what it tests was built"):
        Forgetful("dev").build(full_refresh=True)


def test_a_command_of_dbt_leaves_no_file_open_while_another_begins(lab: Lab) -> None:
    dataset = lab.new_dataset()
    stopped = threading.Event()

    def read_projects() -> None:
        while not stopped.is_set():
            Dbt("dev")._parse()

    reading = threading.Thread(target=read_projects)
    with lab.environment():
        reading.start()
    try:
        for number in range(2):
            at = START + timedelta(days=number)
            lab.manifest(
                dataset, Batch(at, {"movies": [(1, f"{number} (2001)", "Drama")], "ratings": [(1, 1, "4.0", 1)]})
            )
            lab.apply(dataset)
    finally:
        stopped.set()
        reading.join()


def test_the_batch_of_another_store_is_not_taken_for_the_one_that_was_loaded_under_its_id(lab: Lab) -> None:
    dataset, movies = lab.new_dataset(), [(1, "One (2001)", "Drama")]
    lab.manifest(dataset, Batch(START, {"movies": movies, "ratings": [(1, 1, "4.0", 1_000_000_000)]}))
    lab.apply(dataset)
    kept = lab.rows("select * from marts.fact_ratings")
    for found in list(lab.store.list(f"{dataset}/")):
        lab.store.delete(found.key)
    lab.manifest(dataset, Batch(START, {"movies": movies, "ratings": [(1, 1, "0.5", 1_000_000_000)]}))
    lab.manifest(dataset, Batch(START + timedelta(days=1), {"movies": movies}, {"movies": "delta"}))
    with pytest.raises(PipelineError, match=r"000001/manifest\.json .* is another batch"):
        lab.apply(dataset)
    assert lab.rows("select * from marts.fact_ratings") == kept
