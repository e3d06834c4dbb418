"""Writes a day of the sample as CSV files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.schema import TABLES, Mode
from ingest.sources.sample import changes, tags, titles
from ingest.sources.sample.day import SampleDay, as_of
from ingest.sources.sample.draw import Ints
from ingest.sources.sample.shape import shape_of
from ingest.sources.sample.world import World

Columns = tuple[NDArray[Any], ...]
Tables = dict[str, Iterable[Columns]]
_CHUNK = 400_000
_NEEDS_QUOTES = re.compile(r'[,"\r\n]')


def generate(folder: Path, *, ratings: int = 100_000, day: int = 1, seed: int = 0) -> SampleDay:
    """Writes the CSV files of a day into `folder` (made if need be) and says what they are.

    Parameters: `ratings`, how many day 1 has, exactly; `day`, from 1: the first is a whole release, each later one
    holds what changed since the day before; `seed`, any integer. Raises SourceError for a size or day that cannot be
    had.
    """
    moment, world = as_of(day), World(shape_of(ratings), seed)
    tables = _first_day(world) if day == 1 else _later_day(world, day)
    folder.mkdir(parents=True, exist_ok=True)
    for name, chunks in tables.items():
        with (folder / TABLES[name].file).open("wb") as file:
            file.write(f"{TABLES[name].header}\n".encode())
            file.writelines(csv_lines(*columns) for columns in chunks)
    modes: dict[str, Mode] = dict.fromkeys(tables, "full" if day == 1 else "delta")
    if tags.tags_are_full(day):
        modes["tags"] = "full"
    return SampleDay(moment, modes)


def _first_day(world: World) -> Tables:
    every, tag_count = np.arange(world.shape.movies), world.shape.genome_tags
    return {
        "movies": [_movies(world, every, 1)],
        "ratings": _all_ratings(world),
        "tags": [_tags(world, tags.first_tags(world))],
        "links": [_links(world, every, 1)],
        "genome_scores": _genome_scores(world, np.flatnonzero(world.rank < world.shape.genome_movies)),
        "genome_tags": [(np.arange(1, tag_count + 1), texts(tags.genome_tags(tag_count)))],
    }


def _later_day(world: World, day: int) -> Tables:
    released, corrected = world.new_movies(day), [changes.corrected(world, what, day) for what in ("title", "genres")]
    fresh, scored = changes.fresh_ratings(world, day), changes.newly_scored(world, day)
    ratings = np.concatenate([*fresh.values(), changes.repeated_ratings(world, day, fresh)])
    tagged = tags.tags_on(world, day) if tags.tags_are_full(day) else tags.new_tags(world, day, fresh["new"])
    tables: Tables = {
        "movies": [_movies(world, np.unique(np.concatenate([released, *corrected])), day)],
        "ratings": [_rating_columns(world, ratings[np.lexsort((ratings[:, 1], ratings[:, 0]))])],
        "tags": [_tags(world, tagged)],
        "links": [_links(world, np.concatenate([changes.filled_links(world, day), released]), day)],
    }
    return tables | {"genome_scores": _genome_scores(world, scored)} if len(scored) else tables


def _movies(world: World, indexes: Ints, day: int) -> Columns:
    names = titles.titles(world.dice, indexes, world.years(indexes), changes.versions(world, "title", day))
    genres = titles.genres(world.dice, indexes, changes.versions(world, "genres", day))
    return world.movie_ids(indexes), texts(names), texts(genres)


def _links(world: World, indexes: Ints, day: int) -> Columns:
    filled = np.concatenate([changes.filled_links(world, past) for past in range(2, day + 1)] or [indexes[:0]])
    lacking = titles.lacks_tmdb(world.dice, indexes) & (indexes < world.shape.movies)
    known = ~lacking | np.isin(indexes, filled)
    imdb, tmdb = titles.links(world.dice, indexes, world.years(indexes), known)
    return world.movie_ids(indexes), texts(imdb), texts(tmdb)


def _rating_columns(world: World, rows: Ints) -> Columns:
    user, movie, stars, timestamp = rows.T
    half_stars = texts(f"{half // 2}.{half % 2 * 5}" for half in range(11))
    return user + 1, world.movie_ids(movie), half_stars[stars], timestamp


def _all_ratings(world: World) -> Iterator[Columns]:
    ends = np.cumsum(world.counts)
    cuts = np.unique(np.searchsorted(ends, np.arange(0, ends[-1], _CHUNK)))
    for users in np.split(np.arange(world.shape.users), cuts[1:]):
        yield _rating_columns(world, world.ratings_of(users))


def _tags(world: World, rows: Ints) -> Columns:
    user, movie, tag, timestamp = rows.T
    return user + 1, world.movie_ids(movie), texts(tags.vocabulary())[tag], timestamp


def _genome_scores(world: World, movies: Ints) -> Iterator[Columns]:
    # Multiples of 0.00025 with 17 decimals, some with the dust of a binary float, as GroupLens writes them.
    units = (k * 25 * 10**12 - (k % 8 == 3) for k in range(4_001))
    words = texts(f"{unit // 10**17}.{unit % 10**17:017d}" for unit in units)
    count = max(1, _CHUNK // world.shape.genome_tags)
    for at in range(0, len(movies), count):
        movie, tag, relevance = world.genome(movies[at : at + count])
        yield world.movie_ids(movie), tag + 1, words[relevance]


def texts(values: Iterable[str]) -> NDArray[np.bytes_]:
    """Texts as a column of ready CSV fields, in UTF-8: quoted only when they must be, quotes doubled."""
    quoted = ('"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text for text in values)
    return np.array([field.encode() for field in quoted], dtype="S")


def csv_lines(*columns: NDArray[Any]) -> bytes:
    """One line per row. Integers are written in decimal, byte strings as they are (see `texts`)."""
    line = b",".join(b"%b" if column.dtype.kind == "S" else b"%d" for column in columns) + b"\n"
    return b"".join([line % row for row in zip(*(column.tolist() for column in columns), strict=True)])
