"""How large the sample is: counts that follow the number of ratings as they do across the GroupLens releases."""

from __future__ import annotations

from ingest.errors import SourceError
from ingest.sources.sample.draw import Points, along

LEAST_RATINGS = 1_000
LEAST_PER_USER = 20

_MOVIES: Points = ((0, 600), (100_000, 3_500), (1_000_000, 9_000), (20_000_263, 27_278), (60_000_000, 60_000))
_TAGS: Points = ((0, 450), (100_000, 3_500), (1_000_000, 25_000), (20_000_263, 465_564))
_GENOME_SCORES: Points = ((0, 400), (100_000, 100_000), (20_000_000, 11_709_768), (20_000_001, 11_709_768))
_GENOME_TAGS: Points = ((0, 10), (100_000, 100), (11_709_768, 1_128), (11_709_769, 1_128))


class Shape:
    """Row counts of day 1 for a number of `ratings`, and about how much a later day brings (`daily_…`).

    The genome is complete: `genome_movies` × `genome_tags` scores. Raises SourceError for too few ratings.
    """

    def __init__(self, ratings: int) -> None:
        if ratings < LEAST_RATINGS:
            raise SourceError(f"a sample of {ratings} ratings is too small: ask for {LEAST_RATINGS:,} or more")
        scores = int(along(_GENOME_SCORES, ratings))
        self.ratings, self.users = ratings, max(20, ratings * 138_493 // 20_000_263)
        self.movies, self.tags = int(along(_MOVIES, ratings)), int(along(_TAGS, ratings))
        self.genome_tags = int(along(_GENOME_TAGS, scores))
        self.genome_movies = scores // self.genome_tags
        self.daily_ratings = max(100, ratings // 200)
        self.daily_movies = max(2, self.movies // 1_000)
        self.daily_users = max(2, self.users // 400)
