"""Writes a day of the sample as CSV files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.schema import TABLES, Mode
from ingest.sources.sample import changes, tags, titles
from ingest.sources.sample.day import SampleDay, as_of
from ingest.sources.sample.draw import Ints
from ingest.sources.sample.lines import CHUNK, texts, write_table
from ingest.sources.sample.shape import shape_of
from ingest.sources.sample.world import World

Columns = tuple[NDArray[Any], ...]
Plan = tuple[dict[str, Mode], dict[str, Iterable[Columns]], dict[str, int]]
_STARS = texts(f"{half // 2}.{half % 2 * 5}" for half in range(11))


def generate(
    folder: Path,
    *,
    ratings: int = 100_000,
    day: int = 1,
    seed: int = 0,
    genome_scores: int | None = None,
) -> SampleDay:
    """Writes the CSV files of a day into `folder` (made if need be) and says what they are.

    Parameters: `ratings`, how many day 1 has, exactly; `day`, from 1: the first is a whole release, each later one
    holds what changed since the day before; `seed`, any integer; `genome_scores`, another size of the genome than
    the usual one (whole movies, 0 for none).

    Raises SourceError for a size or day that cannot be had.
    """
    moment, shape = as_of(day), shape_of(ratings, genome_scores)
    world = World(shape, seed)
    modes, chunks, counts = _first_day(world) if day == 1 else _later_day(world, day)
    folder.mkdir(parents=True, exist_ok=True)
    rows = {name: write_table(folder, TABLES[name], chunks[name]) for name in modes}
    return SampleDay(moment, modes, rows, counts)


def _first_day(world: World) -> Plan:
    every = np.arange(world.shape.movies)
    chunks: dict[str, Iterable[Columns]] = {
        "movies": [_movies(world, every, 1)],
        "ratings": _all_ratings(world),
        "tags": [_tags(world, tags.first_tags(world))],
        "links": [_links(world, every, 1)],
    }
    if count := world.shape.genome_tags:
        chunks["genome_scores"] = _genome_scores(world, np.flatnonzero(world.rank < world.shape.genome_movies))
        chunks["genome_tags"] = [(np.arange(1, count + 1), texts(tags.genome_tags(count)))]
    return dict.fromkeys(chunks, "full"), chunks, {}


def _later_day(world: World, day: int) -> Plan:
    released, filled = world.new_movies(day), changes.filled_links(world, day)
    titled, regrouped = (changes.corrected(world, what, day) for what in ("title", "genres"))
    fresh, scored = changes.fresh_ratings(world, day), changes.newly_scored(world, day)
    repeated = changes.repeated_ratings(world, day, fresh)
    all_ratings = np.concatenate([*fresh.values(), repeated])
    all_ratings = all_ratings[np.lexsort((all_ratings[:, 1], all_ratings[:, 0]))]
    shipped_tags = tags.new_tags(world, day, fresh["new"])
    counts = {
        "movies added": len(released),
        "titles corrected": len(titled),
        "genres corrected": len(regrouped),
        "users added": len(world.new_users(day)),
        **{f"ratings {kind}": len(rows) for kind, rows in fresh.items()},
        "ratings repeated": len(repeated),
        "tags added": len(shipped_tags),
        "links filled in": len(filled),
    }
    modes: dict[str, Mode] = dict.fromkeys(("movies", "ratings", "tags", "links"), "delta")
    if tags.tags_are_full(day):
        modes["tags"] = "full"
        shipped_tags, counts["tags withdrawn"] = tags.tags_on(world, day)
    chunks: dict[str, Iterable[Columns]] = {
        "movies": [_movies(world, np.unique(np.concatenate([released, titled, regrouped])), day)],
        "ratings": [_rating_columns(world, all_ratings)],
        "tags": [_tags(world, shipped_tags)],
        "links": [_links(world, np.concatenate([filled, released]), day)],
    }
    if len(scored):
        modes["genome_scores"] = "delta"
        chunks["genome_scores"] = _genome_scores(world, scored)
        counts["movies with new genome scores"] = len(scored)
    return modes, chunks, counts


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
    return user + 1, world.movie_ids(movie), _STARS[stars], timestamp


def _all_ratings(world: World) -> Iterator[Columns]:
    ends = np.cumsum(world.counts)
    cuts = np.unique(np.searchsorted(ends, np.arange(0, ends[-1], CHUNK)))
    for users in np.split(np.arange(world.shape.users), cuts[1:]):
        yield _rating_columns(world, world.ratings_of(users))


def _tags(world: World, rows: Ints) -> Columns:
    user, movie, tag, timestamp = rows.T
    return user + 1, world.movie_ids(movie), texts(tags.vocabulary())[tag], timestamp


def _genome_scores(world: World, movies: Ints) -> Iterator[Columns]:
    # Multiples of 0.00025 with 17 decimals, some with the dust of a binary float, as GroupLens writes them.
    units = (k * 25 * 10**12 - (k % 8 == 3) for k in range(4_001))
    words = texts(f"{unit // 10**17}.{unit % 10**17:017d}" for unit in units)
    count = max(1, CHUNK // world.shape.genome_tags)
    for at in range(0, len(movies), count):
        movie, tag, relevance = world.genome(movies[at : at + count])
        yield world.movie_ids(movie), tag + 1, words[relevance]
