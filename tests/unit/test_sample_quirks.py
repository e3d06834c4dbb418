"""Every oddity of the real releases occurs in the sample, at any size."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from ingest.sources.sample.generate import generate
from ingest.sources.sample.titles import WORDS
from tests.sample_files import Content, read

ODD_TAGS = WORDS["odd_tags"]

TITLE_FORMS = (
    r"^[^(]*[^() \u00a0]$",
    r"\([0-9]{4}–[0-9]{4}\)$",
    r"\([0-9]{4}-[0-9]{4}\)$",
    r"\([0-9]{4}-\)$",
    r"\([0-9]{4}– \)$",
    r"\([0-9]{4}\)\)$",
    r"\(([0-9]{4})\) \(\1\)$",
    r"\u00a0\([0-9]{4}\)$",
    r"\)\u00a0$",
    r"\u200b",
    r"\u200e",
    r"^ +\S",
    r"\) +$",
    r'"',
    r",.*,.*\(",
    r"\|",
    r"[^\x00-\x7f]",
    r"\\",
    r"^[0-9]{4} \(",
    r"\S\([0-9]{4}\)$",
    r"e\u0301",
    r"\(a\.k\.a\. ",
)


@pytest.fixture(scope="module", params=[1_000, 100_000])
def first(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Content:
    """The first day of the smallest sample and of the default one."""
    folder = tmp_path_factory.mktemp("sample")
    generate(folder, ratings=request.param, seed=request.param % 7)
    return read(folder)


def test_every_form_of_a_title_occurs(first: Content) -> None:
    titles = [row[1] for row in first["movies"]]
    assert not [form for form in TITLE_FORMS if sum(bool(re.search(form, title)) for title in titles) < 2]


def test_most_titles_are_plain_and_their_years_plausible(first: Content) -> None:
    plain = [re.fullmatch(r"[A-Z][^()]*[^() ] \(([0-9]{4})\)", row[1]) for row in first["movies"]]
    years = [int(match[1]) for match in plain if match]
    assert len(years) > 0.8 * len(plain)
    assert min(years) >= 1900 and max(years) <= 2019


def test_odd_genres_and_shared_titles_occur(first: Content) -> None:
    titles = Counter(row[1] for row in first["movies"])
    genres = [row[2].split("|") for row in first["movies"]]
    assert sum(count > 1 for count in titles.values()) >= 2
    assert sum(names == ["(no genres listed)"] for names in genres) >= 3
    assert sum(names != sorted(names) for names in genres) >= 2
    assert len({name for names in genres for name in names}) == 20


def test_odd_links_occur(first: Content) -> None:
    imdb, tmdb = ([row[column] for row in first["links"]] for column in (1, 2))
    assert len(set(imdb)) == len(imdb)
    assert sum(number.startswith("0") for number in imdb) >= 10
    assert sum(len(number) == 8 for number in imdb) >= 10
    assert tmdb.count("") >= 3
    assert sum(count > 1 for number, count in Counter(tmdb).items() if number) >= 2


def test_tags_are_written_as_people_write_them(first: Content) -> None:
    rated = {row[:2] for row in first["ratings"]}
    tags = Counter(row[2] for row in first["tags"])
    assert not [tag for tag in ODD_TAGS if tags[tag] < 2]
    assert {"007", " ", "   ", " time travel", '"so bad it\'s good"', "guns, lots of"} < set(ODD_TAGS)
    folded = Counter((user, movie, tag.lower()) for user, movie, tag, _ in first["tags"])
    assert sum(count > 1 for count in folded.values()) >= 2
    assert sum(row[:2] not in rated for row in first["tags"]) >= 100
