"""How much there is, and who rates what and when: the facts of day 1, each recomputable from seed and size alone."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from ingest.errors import SourceError
from ingest.sources.sample.day import DAY_SECONDS, start_of
from ingest.sources.sample.draw import Dice, Flags, Ints, Points, along, below, exact_shares, weighted
from ingest.sources.sample.titles import title_sources

LEAST_RATINGS = 1_000
LEAST_PER_USER = 20

# Counts that follow the number of ratings as they do across the GroupLens releases.
_MOVIES: Points = ((0, 600), (100_000, 3_500), (1_000_000, 9_000), (20_000_263, 27_278), (60_000_000, 60_000))
_TAGS: Points = ((0, 450), (100_000, 3_500), (1_000_000, 25_000), (20_000_263, 465_564))
_GENOME_SCORES: Points = ((0, 400), (100_000, 100_000), (20_000_000, 11_709_768), (20_000_001, 11_709_768))
_GENOME_TAGS: Points = ((0, 10), (100_000, 100), (11_709_768, 1_128), (11_709_769, 1_128))

NOW = start_of(2)
_OPENING = int(datetime(1995, 1, 9, tzinfo=UTC).timestamp())
_HALF_STARS_SINCE = int(datetime(2003, 2, 18, tzinfo=UTC).timestamp())
_JOINED = (2, 70, 30, 14, 40, 70, 38, 32, 36, 32, 55, 40, 38, 42, 36, 30, 28, 27, 25, 24, 55, 60, 62, 60, 60)
"""How many users joined in each year from 1995 to 2019, in proportion."""
# Each of these is drawn along its points: the first number is a quantile, in parts of 2^16.
_ACTIVITY: Points = (
    (0, 20), (6_500, 24), (16_400, 35), (32_800, 69), (49_150, 160), (59_000, 360), (63_600, 700), (64_900, 1_150),
    (65_470, 2_200), (65_536, 7_000),
)  # fmt: skip
"""How many ratings a user gives."""
_AGE: Points = ((0, 0), (49_000, 1), (57_000, 12), (62_000, 40), (65_536, 88))
"""How many years before it was added a movie was released; those of the opening are from the last quarter."""
_RELEVANCE: Points = (
    (0, 1), (6_500, 40), (16_400, 90), (32_800, 220), (49_000, 550), (59_000, 1_200), (63_600, 2_400), (65_200, 3_600),
    (65_535, 4_000),
)  # fmt: skip
_MOST_SESSIONS, _SECONDS_PER_RATING = 8, 5
_EARLY_PERCENT = 30
# Upper ends of the score (in 1/1000 stars around the mean) for 0.5, 1.0, …, 4.5 stars, and for 1, 2, 3 and 4 of those
# who give whole stars only.
_HALF_ENDS = np.array([-2_130, -1_780, -1_590, -1_230, -940, -380, 130, 930, 1_430])
_WHOLE_ENDS = np.array([-1_730, -1_110, -220, 950])


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


class World:
    """Users and movies of day 1, by index from 0 (later days count on).

    Attributes: `dice`, the source of all draws; per movie `rank`, its popularity from 0; per user `counts`, its
    ratings, and `catalogue`, how many movies (from the first on) it could have seen.
    """

    def __init__(self, shape: Shape, seed: int) -> None:
        self.shape, self.dice = shape, Dice(seed)
        everyone, every_movie = np.arange(shape.users), np.arange(shape.movies)
        self._added = self.added(every_movie)
        by_rank = np.argsort(self.dice.bits("popularity", every_movie), kind="stable")
        self.rank: Ints = np.argsort(by_rank, kind="stable")
        self._popular = self._cumulated_popularity()
        liked = 300 * (shape.movies - self.rank) // shape.movies - 230
        self._quality = self.dice.bell("quality", every_movie, 780) + liked
        self._starts, self._sessions = self._session_starts(everyone)
        self._latest = self._starts.max(axis=1)
        self.catalogue: Ints = np.searchsorted(self._added, self._latest, side="right").astype(np.int64)
        wish = along(_ACTIVITY, self.dice.pair("activity", everyone)[0] >> 16)
        self.counts = exact_shares(wish, LEAST_PER_USER, self.catalogue * 2 // 3, shape.ratings)

    def movie_ids(self, indexes: Ints) -> Ints:
        """Ascending ids: dense at first, with gaps later on, as grown over the years."""
        late = np.maximum(indexes - self.shape.movies // 3, 0)
        ids: Ints = indexes + 1 + late * 5 - np.where(late > 0, self.dice.below("id gap", indexes, 5), 0)
        return ids

    def added(self, indexes: Ints) -> Ints:
        """The second in which each movie was added: a third at the opening, then evenly, then a few a day."""
        early = self.shape.movies * _EARLY_PERCENT // 100
        evenly = _OPENING + (indexes - early) * ((NOW - _OPENING) // (self.shape.movies - early))
        later = NOW + (indexes - self.shape.movies) // self.shape.daily_movies * DAY_SECONDS
        return np.where(indexes < self.shape.movies, np.maximum(evenly, _OPENING), later)

    def years(self, indexes: Ints) -> Ints:
        """The release year of each movie: that in which it was added to the site, or before."""
        sources = title_sources(indexes)
        added = self.added(sources).astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
        luck = self.dice.below("release year", sources, 1 << 16)
        return added - along(_AGE, np.where(added == 1995, luck // 4 + 49_152, luck))

    def new_movies(self, day: int) -> Ints:
        """The movies that appear on `day` (2 or later)."""
        return np.arange(self.shape.daily_movies) + self.shape.movies + (day - 2) * self.shape.daily_movies

    def new_users(self, day: int) -> Ints:
        """The users who join on `day` (2 or later)."""
        return np.arange(self.shape.daily_users) + self.shape.users + (day - 2) * self.shape.daily_users

    def _cumulated_popularity(self) -> Ints:
        """Zipf's law with a bent top, a thin tail, and two ratings at least in the mean; it stays below 2^36."""
        movies = self.shape.movies
        depth = ((movies - self.rank) * 1_024 // movies) ** 3
        weight: Ints = depth * 4 // (self.rank + 100)
        return np.cumsum(weight + int(weight.sum()) * 2 // self.shape.ratings + 1)

    def _session_starts(self, users: Ints) -> tuple[Ints, Ints]:
        """Start of each possible session (unused ones repeat the first) and the number of sessions, per user."""
        years = np.array([int(datetime(1995 + n, 1, 1, tzinfo=UTC).timestamp()) for n in range(len(_JOINED) + 1)])
        luck, moment = self.dice.pair("join", users)
        year = weighted(np.array(_JOINED), luck)
        joined = years[year] + below(moment, np.diff(years)[year] - 2 * DAY_SECONDS)
        joined = np.maximum(joined, _OPENING)
        joined[0] = _OPENING + DAY_SECONDS // 2
        luck, number = self.dice.pair("sessions", users)
        sessions = np.where(luck >> 16 < 39_000, 1, 2 + below(number, _MOST_SESSIONS - 1))
        starts = np.repeat(joined[:, None], _MOST_SESSIONS, axis=1)
        for session in range(1, _MOST_SESSIONS):
            later = self.dice.below(f"session {session}", users, NOW - 2 * DAY_SECONDS - joined)
            starts[:, session] += np.where(session < sessions, later, 0)
        return starts, sessions

    def distinct_movies(self, stream: str, users: Ints, counts: Ints, catalogue: Ints) -> tuple[Ints, Ints]:
        """For each user `counts` different movies of the first `catalogue`, ascending, the popular ones likelier.

        Returns rows (position in `users`, movie index). One movie from each of `counts` equal pieces of the
        cumulated popularity, so that no row has to be sorted; where two pieces give the same movie, the next follows.
        """
        row = np.repeat(np.arange(len(users)), counts)
        nth = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        step = np.minimum(self._popular[catalogue - 1] // counts, 2**31 - 1)[row]
        place = nth * step + self.dice.below(stream, (users[row] << 20) + nth, step)
        movie = np.searchsorted(self._popular, place, side="right")
        apart = row << 32
        movie = np.maximum.accumulate(movie - nth + apart) - apart
        return row, np.minimum(movie, (catalogue - counts)[row]) + nth

    def ratings_of(self, users: Ints) -> Ints:
        """The ratings that existing users gave until day 1: rows (user, movie, half stars, timestamp) in file order."""
        row, movie = self.distinct_movies("movie", users, self.counts[users], self.catalogue[users])
        user = users[row]
        luck, moment = self.dice.pair("when", (user << 20) + movie)
        start = self._starts[user, below(luck, self._sessions[user])]
        start = np.where(start < self._added[movie], self._latest[user], start)
        span = self.counts * _SECONDS_PER_RATING // self._sessions + 30
        return self.rated("stars", user, movie, start + below(moment, span[user]))

    def rated(self, stream: str, user: Ints, movie: Ints, timestamp: Ints) -> Ints:
        """Rows (user, movie, half stars, timestamp): stars by the movie's quality, the user's taste, and chance."""
        score = self._quality[np.minimum(movie, self.shape.movies - 1)] + self.dice.bell("taste", user, 690)
        score += self.dice.bell(stream, (user << 20) + movie, 1_480)
        whole: Flags = (self.dice.below("whole stars", user, 10) < 2) | (timestamp < _HALF_STARS_SINCE)
        half_stars = np.searchsorted(_HALF_ENDS, score, side="right") + 1
        whole_stars = 2 * np.searchsorted(_WHOLE_ENDS, score, side="right") + 2
        return np.column_stack([user, movie, np.where(whole, whole_stars, half_stars), timestamp])

    def genome(self, movies: Ints) -> tuple[Ints, Ints, Ints]:
        """Relevance, in units of 0.00025, of every tag for each movie: rows (movie, tag, relevance)."""
        tags = self.shape.genome_tags
        movie, tag = np.repeat(movies, tags), np.tile(np.arange(tags), len(movies))
        luck, theme = self.dice.pair("relevance", (movie << 16) + tag)
        common = self.dice.below("tag relevance", np.arange(tags), 1 << 16)[tag]
        quantile = ((luck >> 16) * 3 + common) // 4
        return movie, tag, along(_RELEVANCE, np.where(theme & 63 == 0, 61_439 + (luck >> 20), quantile))
