"""History, withdrawals and rebuilds on the emulator: a chain of tiny batches that holds every oddity."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

pytest.importorskip("fakesnow", reason="the emulator has an environment of its own")

from ingest.batches.landing import Landing, land
from ingest.batches.withdrawal import withdraw
from tests.pipeline.harness import Batch
from tests.pipeline.relations import Row
from tests.snowflake.harness import Pair, pair

CALM, GONE = (2, "Calm (2002)", "Drama"), (3, "Gone (2003)", "(no genres listed)")
TAGS: list[Row] = [(1, 1, "Fun", 1_000_000_000), (1, 1, " fun ", 1_000_000_001), (2, 3, "007", 1_000_000_000)]
SCORES: dict[str, list[Row]] = {
    "genome_tags": [(1, "fun"), (2, "noir")],
    "genome_scores": [(1, 1, "0.25"), (3, 2, "1")],
}
TICK = timedelta(microseconds=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def batch(as_of: str, mode: str, movies: list[Row], **others: list[Row]) -> Batch:
    """Movies and other tables; of ratings, unless they are given, one new one."""
    rows = {"movies": movies, "ratings": [(9, 1, "0.5", int(at(as_of).timestamp()))], **others}
    modes = {name: mode if name in {"movies", *others} else "delta" for name in rows}
    return Batch(at(as_of).replace(tzinfo=UTC), rows, modes)  # type: ignore[arg-type]


CHAIN = [
    # every table, with ties, a movie that nobody lists, and a line that cannot be loaded
    batch(
        "2020-01-01", "full", [(1, "A (2001)", "Drama"), CALM, GONE, (4, "", "Drama"), ("x", "Bad", "Drama")],
        ratings=[(1, 1, "4.0", 1_000_000_000), (1, 1, "4.5", 1_000_000_000), (2, 3, "0.5", 0), (2, 77, "3.0", 5)],
        tags=TAGS, links=[(1, "0000001", 7), (2, "12345678", "")], **SCORES,
    ),
    batch("2020-01-02T08:00", "delta", [(1, "B (2001)", "Drama")], links=[(1, "0000001", 8)]),
    # a delta that comes late, and changes what the batch before it has changed: versions a microsecond apart
    batch(
        "2019-12-01", "delta", [(1, "C (2001)", "Comedy|Drama"), CALM, (5, "Late (2005)", "Drama")],
        ratings=[(1, 1, "5.0", 999_999_999)],
    ),
    # rows that are gone: a movie, a tag, a link
    batch("2020-01-03", "full", [(1, "A (2001)", "Drama"), CALM, (5, "Late (2005)", "Drama")], tags=TAGS[:1], links=[(2, "12345678", 3)]),
    # and return, unchanged; ratings are dealt anew
    batch(
        "2020-02-01", "full", [(1, "A (2001)", "Drama"), CALM, GONE, (5, "Late (2005)", "Drama")], tags=TAGS,
        ratings=[(1, 1, "3.0", 1_000_000_000), (7, 3, "2.5", 1_000_000_000)],
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """The chain on both targets, on an account that counts a file's header as its first row."""
    folder: Path = tmp_path_factory.mktemp("chain")
    with pair(folder / "data", first_row=2) as both:
        for number, link in enumerate(CHAIN):
            source = link.write(folder / str(number))
            land(Landing("chain", source, link.modes, link.as_of, max_rejected=1), both.store, both.settings)
        both.duckdb("dev", "chain", "--no-land")
        yield both


@pytest.fixture(scope="module")
def parity(chain: Pair) -> str:
    """Parity after the whole chain."""
    return chain.snowflake("parity")


def versions(chain: Pair, movie: int) -> list[Row]:
    """The versions of a movie on the emulator."""
    return chain.rows(
        "select source_title, valid_from, valid_to, is_current from marts.dim_movies_history "
        f"where movie_id = {movie} order by valid_from"
    )


def test_history_is_the_same_on_both_targets(parity: str) -> None:
    assert "are the same on both targets" in parity


def test_versions_a_microsecond_apart_are_all_kept(chain: Pair, parity: str) -> None:
    second = at("2020-01-02T08:00")
    assert versions(chain, 1) == [
        ("A (2001)", at("2020-01-01"), second, False),
        ("B (2001)", second, second + TICK, False),
        ("C (2001)", second + TICK, at("2020-01-03"), False),
        ("A (2001)", at("2020-01-03"), None, True),
    ]


def test_a_movie_that_goes_and_returns_shows_both(chain: Pair, parity: str) -> None:
    assert versions(chain, 3) == [
        ("Gone (2003)", at("2020-01-01"), at("2020-01-03"), False),
        ("Gone (2003)", at("2020-02-01"), None, True),
    ]


def test_rows_count_from_1_where_the_account_counts_the_header(chain: Pair, parity: str) -> None:
    numbered = chain.rows("select _batch, _part, min(_row), max(_row), count(*) from raw.movies group by all")
    assert {first for _, _, first, _, _ in numbered} == {1}
    assert all(last == rows for _, _, _, last, rows in numbered) and len(numbered) == len(CHAIN)


KILLED = """
import os, signal
from pipeline import target
from pipeline.__main__ import app
from profiles.warehouse_schemas import WarehouseSchemas
from tests.pipeline.harness import MeasuringDbt, OpenGate
target.Dbt, target.Gate = MeasuringDbt, OpenGate
run = WarehouseSchemas._run
def until_marts(self, statements):
    for role, statement in statements:
        if "schema marts swap" in statement:
            os.kill(os.getpid(), signal.SIGKILL)
        run(self, [(role, statement)])
WarehouseSchemas._run = until_marts
app(["prod", "--emulator", "--no-land"])
"""


def test_a_withdrawn_batch_leaves_no_trace_though_the_run_that_published_without_it_was_killed_between_two_swaps(
    chain: Pair, parity: str
) -> None:
    withdraw(chain.store, "chain", "000002", reason="typo")
    chain.duckdb("dev", "chain", "--no-land")
    assert chain.killed(KILLED) == -signal.SIGKILL
    compared = chain.snowflake("parity")
    assert "are the same on both targets" in compared
    assert "load " not in compared, "what was swapped in part is swapped to the end, and not built again"
    assert [title for title, *_ in versions(chain, 1)] == ["A (2001)", "C (2001)", "A (2001)"]


def test_a_rebuild_of_production_equals_what_was_published(chain: Pair, parity: str) -> None:
    assert "the rebuilt warehouse equals the old one" in chain.snowflake("prod", "--rebuild")


def test_everything_that_was_sent_would_be_taken(chain: Pair, parity: str, grammar: None) -> None:
    assert chain.doubts() == []
