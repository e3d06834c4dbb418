"""However data arrives, the marts are those of one full load."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

import pipeline.apply as applying
from pipeline.dbt import project_version, same_models
from profiles.errors import PipelineError
from tests.conftest import REPO
from tests.pipeline.generated import START, as_one, deltas
from tests.pipeline.harness import Batch, ClosedGate, Lab, OpenGate
from tests.pipeline.oracle import Oracle, assert_as_told, moment
from tests.pipeline.relations import Relations, Row, difference


def test_any_split_into_deltas_gives_the_marts_of_one_full_load(lab: Lab, seed: int) -> None:
    random = Random(f"deltas {seed}")
    batches, oracle, dataset = deltas(random, 4), Oracle(), lab.new_dataset()
    for number, batch in enumerate(batches):
        lab.manifest(dataset, batch)
        oracle.take(batch)
        if number in (0, 3) or random.random() < 0.5:  # else it waits for the next one
            lab.apply(dataset)
            assert_as_told(lab.warehouse, oracle)
    increments = lab.marts()

    dataset = lab.new_dataset()
    lab.manifest(dataset, as_one(batches))
    lab.apply(dataset)
    loaded_at_once = lab.marts()
    assert increments == loaded_at_once, difference(increments, loaded_at_once)


MOVIES = [(1, "One (2001)", "Drama"), (2, "Two (2002)", "Comedy")]
EARLY, NOON, LATE = 1_000_000_000, 1_100_000_000, 1_200_000_000
STORY: dict[str, dict[str, list[Row]]] = {
    "first load": {
        "movies": MOVIES,
        "ratings": [
            (1, 1, "1.0", NOON),
            (1, 1, "2.0", NOON),
            (2, 1, "4.0", LATE),
            (2, 1, "3.0", EARLY),
            (3, 9, "5.0", NOON),
        ],
        "tags": [(1, 1, "Fun", NOON), (1, 1, " fun ", EARLY), (3, 9, "old", NOON)],
    },
    "a tie and a late row": {"ratings": [(1, 1, "4.5", NOON), (2, 1, "0.5", NOON)], "tags": [(1, 1, "FUN", LATE)]},
    "an unknown movie": {"movies": [(9, "Nine (2009)", "(no genres listed)")], "ratings": [(4, 2, "3.5", EARLY)]},
    "the second batch again": {"ratings": [(1, 1, "4.5", NOON), (2, 1, "0.5", NOON)], "tags": [(1, 1, "FUN", LATE)]},
}


@pytest.fixture(scope="module")
def told(lab: Lab) -> dict[str, tuple[dict[tuple[object, object], Row], Relations]]:
    """The story's batches applied one by one: after each, the ratings by user and movie, and all marts."""
    dataset, states = lab.new_dataset(), {}
    for number, (name, rows) in enumerate(STORY.items()):
        modes = dict.fromkeys(rows, "delta") if number else {}
        lab.manifest(dataset, Batch(START + timedelta(days=number), rows, modes))  # type: ignore[arg-type]
        lab.apply(dataset)
        ratings = lab.rows("select user_id, movie_id, rating::varchar, rated_at from marts.fact_ratings")
        states[name] = {(user, movie): rest for user, movie, *rest in ratings}, lab.marts()
    return states


def test_within_a_file_a_tie_goes_to_the_later_line(told: dict[str, tuple]) -> None:
    assert told["first load"][0][1, 1] == ["2.0", moment(NOON)]


def test_within_a_file_a_later_line_with_an_earlier_time_loses(told: dict[str, tuple]) -> None:
    assert told["first load"][0][2, 1] == ["4.0", moment(LATE)]


def test_a_tie_of_two_batches_goes_to_the_later_batch(told: dict[str, tuple]) -> None:
    assert told["a tie and a late row"][0][1, 1] == ["4.5", moment(NOON)]


def test_a_late_row_does_not_overwrite_a_later_rating(told: dict[str, tuple]) -> None:
    assert told["a tie and a late row"][0][2, 1] == ["4.0", moment(LATE)]


def test_a_late_rating_is_not_lost(told: dict[str, tuple]) -> None:
    assert told["an unknown movie"][0][4, 2] == ["3.5", moment(EARLY)]


def test_a_rating_of_an_unknown_movie_is_kept_and_the_movie_inferred_until_it_arrives(told: dict[str, tuple]) -> None:
    def movie(name: str) -> dict[str, object]:
        columns, *movies = told[name][1]["marts.dim_movies"]
        (found,) = [row for row in movies if row[columns.index("movie_id")] == 9]
        return dict(zip(columns, found, strict=True))

    for name in STORY:
        assert told[name][0][3, 9] == ["5.0", moment(NOON)]
    assert (movie("first load")["is_inferred"], movie("first load")["source_title"]) == (True, None)
    assert (movie("an unknown movie")["is_inferred"], movie("an unknown movie")["title"]) == (False, "Nine")


def test_tags_that_differ_by_case_and_blanks_are_one_with_the_latest_time(told: dict[str, tuple]) -> None:
    columns, *tags = told["a tie and a late row"][1]["marts.fact_movie_tags"]
    assert [(tag[columns.index("user_id")], tag[columns.index("tagged_at")]) for tag in tags] == [
        (1, moment(LATE)),
        (3, moment(NOON)),
    ]


def test_a_batch_that_was_landed_before_changes_nothing(told: dict[str, tuple]) -> None:
    before, after = told["an unknown movie"][1], told["the second batch again"][1]
    assert before == after, difference(before, after)


def test_a_batch_is_counted_by_what_it_did_to_the_content(lab: Lab) -> None:
    before, between, after = (int((START + timedelta(hours=hours)).timestamp()) for hours in (-12, 12, 36))
    dataset = lab.new_dataset()
    full = {"movies": MOVIES, "ratings": [(1, 1, "4.0", before), (2, 1, "3.0", before), (3, 1, "2.0", before)]}
    revised, same, older = (1, 1, "5.0", between), (2, 1, "3.0", before), (3, 1, "1.0", before - 1)
    new_twice, new_and_late = [(4, 1, "3.5", between), (4, 1, "4.0", between)], (5, 1, "3.5", before)
    delta = {"ratings": [revised, same, older, *new_twice, new_and_late]}
    again = {"ratings": [revised, (2, 1, "4.5", after)]}
    lab.manifest(dataset, Batch(START, full))
    lab.manifest(dataset, Batch(START + timedelta(hours=24), delta, {"ratings": "delta"}))
    lab.apply(dataset)
    lab.manifest(dataset, Batch(START + timedelta(hours=48), again, {"ratings": "delta"}))
    lab.apply(dataset)
    counts = lab.rows(
        "select rows_added, rows_revised, rows_removed, rows_late from intermediate.int_batch_changes "
        "where table_name = 'ratings' order by _batch"
    )
    assert counts == [(3, 0, 0, 0), (2, 1, 0, 3), (0, 1, 0, 1)]


def test_the_newest_batch_landed_again_is_no_batch(lab: Lab) -> None:
    dataset = lab.new_name()
    first = Batch(START, {"movies": MOVIES, "ratings": [(1, 1, "1.0", NOON)]})
    delta = Batch(START, {"ratings": [(1, 1, "2.0", LATE)]}, {"ratings": "delta"})
    lab.manifest(dataset, first)
    lab.manifest(dataset, delta)
    again = lab.land(dataset, Batch(datetime.max.replace(tzinfo=START.tzinfo), delta.rows, delta.modes))
    assert (again.unchanged, again.uploaded_bytes, again.manifest.batch_id) == (True, 0, "000002")


def test_a_project_that_was_tried_and_taken_back_leaves_no_trace(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = lab.new_dataset()
    lab.manifest(dataset, Batch(START, STORY["first load"]))
    lab.apply(dataset)
    before = lab.marts()

    with monkeypatch.context() as edited:
        edited.setattr(applying, "project_version", lambda: "edited")
        edited.setattr(OpenGate, "check", closed)
        with pytest.raises(PipelineError, match="closed"):
            lab.apply(dataset)

    assert lab.apply(dataset) is None
    assert lab.marts() == before


def test_a_suite_that_changes_is_another_version_of_the_same_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(REPO / "expectations" / "suites", tmp_path / "expectations" / "suites")
    monkeypatch.setattr("pipeline.dbt.ROOT", tmp_path)
    before = project_version()
    with (tmp_path / "expectations" / "suites" / "marts.yml").open("a") as suite:
        suite.write("# edited\n")
    assert project_version() != before
    assert same_models(project_version(), before)


def test_other_suites_judge_what_is_published_and_build_none_of_it_anew(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = lab.new_dataset()
    lab.manifest(dataset, Batch(START, STORY["first load"]))
    lab.apply(dataset)
    before = lab.marts()
    models, _, _ = applying.project_version().partition("-")
    monkeypatch.setattr(applying, "project_version", lambda: f"{models}-edited")
    with pytest.raises(PipelineError, match="the gate is closed"):
        lab.apply(dataset, gate=ClosedGate())
    assert lab.apply(dataset) == []
    assert "fact_ratings" not in {node.name for node in lab._context.report.run.nodes}
    assert lab.apply(dataset) is None
    assert lab.marts() == before


def closed(*_: object, **__: object) -> None:
    raise PipelineError("closed")
