"""History holds every state that was landed, once, and nothing else."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
import sqlglot
from sqlglot import exp

from ingest.errors import BatchError
from tests.pipeline.harness import Batch, Lab
from tests.pipeline.oracle import Oracle, assert_as_told
from tests.pipeline.relations import Row

RATINGS: list[Row] = [(1, 1, "4.0", 1_000_000_000)]


def at(text: str) -> datetime:
    """An instant in UTC, without zone, as the warehouse holds it."""
    return datetime.fromisoformat(text)


def batch(as_of: str, mode: str, movies: list[Row], ratings: list[Row] = RATINGS) -> Batch:
    """A batch of movies and ratings."""
    modes = {"movies": mode, "ratings": mode}
    return Batch(at(as_of).replace(tzinfo=UTC), {"movies": movies, "ratings": ratings}, modes)  # type: ignore[arg-type]


CALM, GONE = (2, "Calm (2002)", "Drama"), (3, "Gone (2003)", "(no genres listed)")
CHAIN = [
    batch("2020-01-01", "full", [(1, "A (2001)", "Drama"), CALM, GONE, (4, "Four (2004)", "Drama")]),
    batch("2020-01-02T08:00", "delta", [(1, "B (2001)", "Drama"), (4, "Four (2004)", "Comedy|Drama")]),
    batch("2020-01-02T20:00", "delta", [(4, "4 (2004)", "Drama")]),
    batch("2020-01-03", "full", [(1, "A (2001)", "Drama"), CALM, (4, "4 (2004)", "Drama")]),
    batch("2019-12-01", "delta", [(5, "Late (2005)", "Drama")]),
    batch("2019-12-01", "delta", [(1, "A (2001)", "Drama"), CALM], [(1, 2, "4.0", 1_000_000_000)]),
    batch(
        "2020-02-01",
        "full",
        [(1, "A (2001)", "Drama"), CALM, GONE, (4, "4 (2004)", "Drama"), (5, "Late (2005)", "Drama")],
    ),
]
TICK = timedelta(microseconds=1)


@pytest.fixture(scope="module")
def versions(lab: Lab) -> dict[int, list[Row]]:
    """The chain, applied at once; the versions of each movie in order: title, genres, from, to, change."""
    dataset, oracle = lab.new_dataset(), Oracle()
    for link in CHAIN:
        lab.manifest(dataset, link)
        oracle.take(link)
    lab.apply(dataset)
    assert_as_told(lab.warehouse, oracle)
    found: dict[int, list[Row]] = {}
    for movie, *version in lab.rows(
        "select movie_id, source_title, genres, valid_from, valid_to, change "
        "from marts.dim_movies_history order by valid_from"
    ):
        found.setdefault(int(str(movie)), []).append(tuple(version))
    return found


def test_a_title_that_changes_and_changes_back_has_three_versions(versions: dict[int, list[Row]]) -> None:
    assert versions[1] == [
        ("A (2001)", "Drama", at("2020-01-01"), at("2020-01-02T08:00"), "added"),
        ("B (2001)", "Drama", at("2020-01-02T08:00"), at("2020-01-03"), "title: A (2001) → B (2001)"),
        ("A (2001)", "Drama", at("2020-01-03"), None, "title: B (2001) → A (2001)"),
    ]


def test_an_unchanged_movie_has_one_version_however_often_it_is_landed(versions: dict[int, list[Row]]) -> None:
    assert versions[2] == [("Calm (2002)", "Drama", at("2020-01-01"), None, "added")]


def test_a_movie_that_goes_and_returns_unchanged_shows_both(versions: dict[int, list[Row]]) -> None:
    assert versions[3] == [
        ("Gone (2003)", None, at("2020-01-01"), at("2020-01-03"), "added"),
        ("Gone (2003)", None, at("2020-02-01"), None, "returned"),
    ]


def test_two_changes_on_one_day_are_two_versions(versions: dict[int, list[Row]]) -> None:
    assert [(version[2], version[4]) for version in versions[4]] == [
        (at("2020-01-01"), "added"),
        (at("2020-01-02T08:00"), "genres: Drama → Comedy|Drama"),
        (at("2020-01-02T20:00"), "title: Four (2004) → 4 (2004); genres: Comedy|Drama → Drama"),
    ]


def test_a_late_delta_is_history_from_the_instant_after_the_batch_before_it(versions: dict[int, list[Row]]) -> None:
    assert versions[5] == [("Late (2005)", "Drama", at("2020-01-03") + TICK, None, "added")]


def test_versions_a_tick_apart_have_two_ids_even_where_the_text_of_an_instant_has_milliseconds(lab: Lab) -> None:
    def as_snowflake_writes(node: exp.Expr) -> exp.Expr:
        is_text = isinstance(node, exp.Cast) and node.is_type(*exp.DataType.TEXT_TYPES)
        return exp.func("left", node.copy(), exp.Literal.number(23)) if is_text else node

    sql = sqlglot.parse_one(lab.compiled("select {{ snapshot_hash_arguments(['movie_id', 'instant']) }}"), "duckdb")
    version_id = sql.transform(as_snowflake_writes).expressions[0].sql("duckdb")
    found = lab.rows(
        f"select {version_id} from (values (1, timestamp '2020-01-03 00:00:00.001'), "
        "(1, timestamp '2020-01-03 00:00:00.001001'), (2, timestamp '2020-01-03')) as versions (movie_id, instant)"
    )
    assert len(set(found)) == 3


def test_the_clock_of_history_grows_with_every_batch(lab: Lab, versions: dict[int, list[Row]]) -> None:
    clock = [
        row[0] for row in lab.rows("select max(effective_at) from raw.batches group by batch_id order by batch_id")
    ]
    assert len(clock) == len(CHAIN)
    assert all(one < other for one, other in itertools.pairwise(clock))


def test_time_travel_shows_the_catalogue_as_it_was(lab: Lab, versions: dict[int, list[Row]]) -> None:
    def titles(instant: str) -> set[object]:
        sql = lab.compiled("select source_title from {{ as_of('dim_movies_history', '" + instant + "') }} as then_")
        return {row[0] for row in lab.rows(sql)}

    assert titles("2019-12-31") == set()
    assert titles("2020-01-02 07:59:59") == {"A (2001)", "Calm (2002)", "Gone (2003)", "Four (2004)"}
    assert titles("2020-01-02 08:00") == {"B (2001)", "Calm (2002)", "Gone (2003)", "Four (2004)"}
    assert titles("2020-01-15") == {"A (2001)", "Calm (2002)", "Late (2005)", "4 (2004)"}
    assert titles("2030-01-01") == {"A (2001)", "Calm (2002)", "Gone (2003)", "Late (2005)", "4 (2004)"}


@pytest.mark.parametrize("as_of", ["2020-01-01", "2019-12-31T23:59:59.999999"])
def test_a_full_table_that_is_not_later_is_refused_and_nothing_is_landed(lab: Lab, as_of: str) -> None:
    dataset = lab.new_name()
    lab.manifest(dataset, CHAIN[0])
    with pytest.raises(BatchError, match="--as-of"):
        lab.land(dataset, batch(as_of, "full", [CALM]))
    assert not list(lab.store.list(f"{dataset}/000002/"))
