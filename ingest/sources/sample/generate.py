"""Writes a day of the sample as CSV files."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.errors import SourceError
from ingest.schema import TABLES
from ingest.sources.sample import changes, tags, titles
from ingest.sources.sample.draw import Ints
from ingest.sources.sample.world import Shape, World

Rows = Iterable[tuple[object, ...]]
_CHUNK = 400_000
_STARS = np.array([f"{half / 2:.1f}" for half in range(11)], dtype=object)


def generate(folder: Path, *, ratings: int = 100_000, day: int = 1, seed: int = 0) -> None:
    """Writes the CSV files of a day into `folder` (made if need be).

    Parameters: `ratings`, how many day 1 has, exactly; `day`, from 1: the first is a whole release, each later one
    holds what changed since the day before; `seed`, any integer. Raises SourceError for a size or day that cannot be
    had.
    """
    if day < 1:
        raise SourceError(f"there is no day {day}: days of the sample start with 1")
    world = World(Shape(ratings), seed)
    tables = _first_day(world) if day == 1 else _later_day(world, day)
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        with (folder / TABLES[name].file).open("w", encoding="utf-8", newline="") as file:
            file.write(f"{TABLES[name].header}\n")
            csv.writer(file, lineterminator="\n").writerows(rows)


def _first_day(world: World) -> dict[str, Rows]:
    every, tag_count = np.arange(world.shape.movies), world.shape.genome_tags
    return {
        "movies": _movies(world, every, 1),
        "ratings": _all_ratings(world),
        "tags": _tags(world, tags.tags_on(world, 1)),
        "links": _links(world, every, 1),
        "genome_scores": _genome_scores(world, np.flatnonzero(world.rank < world.shape.genome_movies)),
        "genome_tags": enumerate(tags.genome_tags(tag_count), 1),
    }


def _later_day(world: World, day: int) -> dict[str, Rows]:
    released = world.new_movies(day)
    corrected = [changes.corrected(world, what, day) for what in ("title", "genres")]
    linked = np.flatnonzero(titles.tmdb_known_on(world.dice, np.arange(released[0])) == day)
    tables = {
        "movies": _movies(world, np.unique(np.concatenate([released, *corrected])), day),
        "ratings": _ratings(world, changes.ratings_on(world, day)),
        "tags": _tags(world, tags.tags_on(world, day)),
        "links": _links(world, np.concatenate([linked, released]), day),
    }
    scored = changes.newly_scored(world, day)
    return tables | {"genome_scores": _genome_scores(world, scored)} if len(scored) else tables


def _rows(*columns: NDArray[Any]) -> Rows:
    return zip(*(column.tolist() for column in columns), strict=True)


def _movies(world: World, indexes: Ints, day: int) -> Rows:
    names = titles.titles(world.dice, indexes, world.years(indexes), changes.versions(world, "title", day))
    genres = titles.genres(world.dice, indexes, changes.versions(world, "genres", day))
    return zip(world.movie_ids(indexes).tolist(), names, genres, strict=True)


def _links(world: World, indexes: Ints, day: int) -> Rows:
    known = titles.tmdb_known_on(world.dice, indexes) <= day
    imdb, tmdb = titles.links(world.dice, indexes, world.years(indexes), known)
    return zip(world.movie_ids(indexes).tolist(), imdb, tmdb, strict=True)


def _ratings(world: World, rows: Ints) -> Rows:
    user, movie, half_stars, timestamp = rows.T
    return _rows(user + 1, world.movie_ids(movie), _STARS[half_stars], timestamp)


def _all_ratings(world: World) -> Rows:
    for users in np.array_split(np.arange(world.shape.users), 1 + world.shape.ratings // _CHUNK):
        yield from _ratings(world, world.ratings_of(users))


def _tags(world: World, rows: Ints) -> Rows:
    user, movie, tag, timestamp = rows.T
    return _rows(user + 1, world.movie_ids(movie), np.array(tags.VOCABULARY, dtype=object)[tag], timestamp)


def _genome_scores(world: World, movies: Ints) -> Rows:
    # Multiples of 0.00025 with 17 decimals, some with the dust of a binary float, as GroupLens writes them.
    units = (k * 25 * 10**12 - (k % 8 == 3) for k in range(4_001))
    words = np.array([f"{unit // 10**17}.{unit % 10**17:017d}" for unit in units], dtype=object)
    count = max(1, _CHUNK // world.shape.genome_tags)
    for at in range(0, len(movies), count):
        movie, tag, relevance = world.genome(movies[at : at + count])
        yield from _rows(world.movie_ids(movie), tag + 1, words[relevance])
