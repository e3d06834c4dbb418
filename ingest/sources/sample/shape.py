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


def shape_of(ratings: int, genome_scores: int | None = None) -> Shape:
    """The shape for a number of ratings.

    `genome_scores` asks for another size of the genome: rounded down to whole movies, 0 for none.
    Raises SourceError for sizes that cannot be had.
    """
    if ratings < LEAST_RATINGS:
        raise SourceError(f"a sample of {ratings} ratings is too small: ask for {LEAST_RATINGS:,} or more")
    movies = int(along(_MOVIES, ratings))
    scores = int(along(_GENOME_SCORES, ratings)) if genome_scores is None else genome_scores
    genome_tags = int(along(_GENOME_TAGS, scores))
    genome_movies = scores // genome_tags
    if not 0 <= genome_movies <= movies:
        most = movies * genome_tags
        raise SourceError(f"{scores} genome scores do not fit {movies:,} movies: ask for 0 to {most:,}")
    users = max(20, ratings * 138_493 // 20_000_263)
    return Shape(
        ratings=ratings,
        users=users,
        movies=movies,
        tags=int(along(_TAGS, ratings)),
        genome_movies=genome_movies,
        genome_tags=genome_tags if genome_movies else 0,
        daily_ratings=max(100, ratings // 200),
        daily_movies=max(2, movies // 1_000),
        daily_users=max(2, users // 400),
    )
