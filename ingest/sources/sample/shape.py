"""How large the sample is: counts that follow the number of ratings as they do across the GroupLens releases."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.errors import SourceError
from ingest.sources.sample.draw import Points, along

LEAST_RATINGS = 1_000
LEAST_PER_USER = 20

_MOVIES: Points = ((0, 600), (100_000, 3_500), (1_000_000, 9_000), (20_000_263, 27_278), (60_000_000, 60_000))
_TAGS: Points = ((0, 450), (100_000, 3_500), (1_000_000, 25_000), (20_000_263, 465_564))
_GENOME_SCORES: Points = ((0, 400), (100_000, 100_000), (20_000_000, 11_709_768), (20_000_001, 11_709_768))
_GENOME_TAGS: Points = ((0, 10), (100_000, 100), (11_709_768, 1_128), (11_709_769, 1_128))


@dataclass(frozen=True)
class Shape:
    """Row counts of day 1, and about how much a later day brings (`daily_…`).

    The genome is complete: `genome_movies` × `genome_tags` scores.
    """

    ratings: int
    users: int
    movies: int
    tags: int
    genome_movies: int
    genome_tags: int
    daily_ratings: int
    daily_movies: int
    daily_users: int


def shape_of(ratings: int) -> Shape:
    """The shape for a number of ratings; raises SourceError for too few of them."""
    if ratings < LEAST_RATINGS:
        raise SourceError(f"a sample of {ratings} ratings is too small: ask for {LEAST_RATINGS:,} or more")
    users, movies = max(20, ratings * 138_493 // 20_000_263), int(along(_MOVIES, ratings))
    scores = int(along(_GENOME_SCORES, ratings))
    genome_tags = int(along(_GENOME_TAGS, scores))
    return Shape(
        ratings=ratings,
        users=users,
        movies=movies,
        tags=int(along(_TAGS, ratings)),
        genome_movies=scores // genome_tags,
        genome_tags=genome_tags,
        daily_ratings=max(100, ratings // 200),
        daily_movies=max(2, movies // 1_000),
        daily_users=max(2, users // 400),
    )
