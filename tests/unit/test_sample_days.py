"""The days of the sample: each is valid, follows from the one before, and changes what it says it changes."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from ingest.schema import TABLES
from ingest.sources.sample.day import as_of, modes, start_of
from ingest.sources.sample.generate import generate
from ingest.sources.sample.world import Shape
from tests.sample_files import Content, read

Days = dict[int, Content]
LATER = range(2, 8)
SHAPE = Shape(100_000)
VALID = {
    "id": r"[1-9][0-9]{0,8}",
    "text": r"(?s).+",
    "rating": r"[0-4]\.5|[1-5]\.0",
    "relevance": r"0\.[0-9]{17}|1\.0{17}",
    "timestamp": r"[1-9][0-9]{8,9}",
    "imdb_id": r"[0-9]{7,8}",
    "tmdb_id": r"[1-9][0-9]{0,6}|",
}


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Days:
    """Days 1 to 7 of the default sample."""
    root = tmp_path_factory.mktemp("sample")
    for day in (1, *LATER):
        generate(root / str(day), day=day)
    return {day: read(root / str(day)) for day in (1, *LATER)}


def test_every_value_is_valid_and_every_key_unique(days: Days) -> None:
    for content in days.values():
        for name, rows in content.items():
            for position, column in enumerate(TABLES[name].columns):
                valid = re.compile(VALID[column.kind])
                assert all(valid.fullmatch(value) for value in {row[position] for row in rows}), column
            width = len(TABLES[name].key)
            assert len({row[:width] for row in rows}) == len(rows), name


def test_every_reference_leads_somewhere(days: Days) -> None:
    movies: set[str] = set()
    for content in days.values():
        movies |= {row[0] for row in content["movies"]}
        assert {row[1] for row in content["ratings"] + content["tags"]} <= movies
        assert {row[0] for row in content["links"]} <= movies


def test_each_day_speaks_for_a_later_instant_and_holds_nothing_later(days: Days) -> None:
    for day, content in days.items():
        assert start_of(day + 1) == as_of(day).timestamp()
        assert all(int(row[3]) < start_of(day + 1) for row in content["ratings"] + content["tags"])
    assert all(as_of(day) < as_of(day + 1) for day in range(1, 400))


def test_a_later_day_brings_new_revised_late_and_repeated_ratings(days: Days) -> None:
    known = {row[:2]: row for row in days[1]["ratings"]}
    before = set(days[1]["ratings"])
    users = {row[0] for row in before}
    for day in LATER:
        content = days[day]
        begin = start_of(day)
        fresh = [row for row in content["ratings"] if row not in before]
        revised = [row for row in fresh if row[:2] in known and int(row[3]) > int(known[row[:2]][3])]
        assert len(content["ratings"]) - len(fresh) == SHAPE.daily_ratings // 10
        assert len(revised) >= SHAPE.daily_ratings // 5 == 100
        assert sum(int(row[3]) < begin for row in fresh) >= 20
        assert modes(day)["ratings"] == "delta"
        joined = {row[0] for row in fresh} - users
        assert len(joined) == SHAPE.daily_users
        assert all(count >= 20 for user, count in Counter(row[0] for row in fresh).items() if user in joined)
        assert 0.002 < len(content["ratings"]) / 100_000 < 0.02
        known |= {row[:2]: row for row in fresh}
        before, users = set(content["ratings"]), users | joined


def test_titles_and_genres_are_corrected_and_movies_added(days: Days) -> None:
    state = {row[0]: row for row in days[1]["movies"]}
    for day in LATER:
        content = days[day]
        rows = content["movies"]
        changed = [(state[row[0]], row) for row in rows if row[0] in state]
        assert sum(old[1] != new[1] for old, new in changed) >= 2
        assert sum(old[2] != new[2] for old, new in changed) >= 2
        assert all(old != new for old, new in changed)
        assert len(rows) - len(changed) == SHAPE.daily_movies >= 2
        assert modes(day)["movies"] == modes(day)["links"] == "delta"
        state |= {row[0]: row for row in rows}


def test_a_title_goes_from_a_to_b_and_back(days: Days) -> None:
    titles = [{row[0]: row[1] for row in days[day]["movies"]} for day in (1, 2, 3, 4)]
    back = [
        movie
        for movie, title in titles[3].items()
        if titles[0].get(movie) == title != titles[1].get(movie, title) and movie not in titles[2]
    ]
    assert back


def test_missing_links_are_filled_in(days: Days) -> None:
    state = {row[0]: row for row in days[1]["links"]}
    for day in LATER:
        content = days[day]
        filled = [(state[row[0]], row) for row in content["links"] if row[0] in state]
        assert len(filled) >= 1
        assert all(old[1] == new[1] and not old[2] and new[2] for old, new in filled)
        state |= {row[0]: row for row in content["links"]}


def test_tags_are_added_and_on_full_days_withdrawn(days: Days) -> None:
    state = set(days[1]["tags"])
    for day in LATER:
        content = days[day]
        rows = set(content["tags"])
        if modes(day)["tags"] == "full":
            assert len(state - rows) >= 3
            assert len(rows - state) >= 6
            state = rows
        else:
            assert not rows & state
            state |= rows
    assert {modes(day)["tags"] for day in LATER} == {"full", "delta"}


def test_the_genome_is_absent_on_most_days_and_complete_for_each_movie_on_others(days: Days) -> None:
    assert [day for day, content in days.items() if "genome_scores" in content] == [1, 7]
    assert not any("genome_tags" in days[day] for day in LATER)
    scored = Counter(row[0] for row in days[7]["genome_scores"])
    assert set(scored.values()) == {len(days[1]["genome_tags"])}
    assert not set(scored) & {row[0] for row in days[1]["genome_scores"]}
