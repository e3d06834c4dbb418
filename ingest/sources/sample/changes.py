"""What changes on the days after the first: every change follows from seed, shape and day alone.

Day N is reached by replaying indexes of days 2 to N, never files.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from ingest.sources.sample.day import DAY_SECONDS, start_of
from ingest.sources.sample.draw import Ints, below
from ingest.sources.sample.world import World

FLIPPING = (40, 41)
"""Two movies whose title is corrected on day 2 and set back on day 4, and so on (A→B→A)."""

_LATE_DAYS = 30
_GENOME_EVERY = 7


def corrected(world: World, field: str, day: int) -> Ints:
    """The movies whose `field` (`title` or `genres`) is corrected on `day`, ascending."""
    count = max(3, world.shape.movies // 1_000)
    drawn = world.dice.below(f"correct {field}", (day << 20) + np.arange(count), world.shape.movies)
    flips = FLIPPING if field == "title" and day % 2 == 0 else ()
    return np.union1d(np.setdiff1d(drawn, FLIPPING), np.array(flips, dtype=np.int64))


def versions(world: World, field: str, day: int) -> dict[int, int]:
    """How often the `field` of each movie was corrected up to `day`."""
    counts = Counter(i for past in range(2, day + 1) for i in corrected(world, field, past).tolist())
    for index in FLIPPING:
        counts[index] %= 2
    return counts


def newly_scored(world: World, day: int) -> Ints:
    """The movies that get their genome scores on `day`: none on most days."""
    count = 0 if day % _GENOME_EVERY else max(3, world.shape.genome_movies // 300)
    first = world.shape.genome_movies + (day // _GENOME_EVERY - 1) * count
    return np.flatnonzero((world.rank >= first) & (world.rank < first + count))


def keys(rows: Ints) -> Ints:
    """A number for each row's user and movie."""
    return (rows[:, 0] << 32) + rows[:, 1]


def few(world: World, stream: str, rows: Ints, count: int) -> Ints:
    """`count` of the rows by the luck of the draw."""
    return rows[np.sort(np.argsort(world.dice.bits(stream, keys(rows)), kind="stable")[:count])]


def _new(rows: Ints, *known: Ints) -> Ints:
    return rows[~np.isin(keys(rows), np.concatenate([keys(other) for other in known]))]


def _session(world: World, kind: str, day: int, users: Ints, counts: Ints) -> Ints:
    """Ratings that `users` give on `day`, or, if `kind` is late, that happened in the days before it."""
    row, movie = world.distinct_movies(f"{kind} movie {day}", users, counts, np.full(len(users), world.shape.movies))
    nth = np.arange(len(row))
    late = (kind == "late") * _LATE_DAYS * DAY_SECONDS
    if not late:
        releases = world.new_movies(day)
        swap = world.dice.below(f"{kind} release {day}", nth, 8) == 0
        movie = np.where(swap, releases[nth % len(releases)], movie)
    timestamp = start_of(day) - late + world.dice.below(f"{kind} when {day}", nth, late or DAY_SECONDS)
    rows = world.rated(f"{kind} {day}", users[row], movie, timestamp)
    return rows[np.unique(keys(rows), return_index=True)[1]]


def fresh_ratings(world: World, day: int) -> Ints:
    """The ratings that `day` brings: new ones, some by people who join, revised and late ones.

    Pairs of user and movie that are new or late did not exist on day 1, which itself stands for some of its ratings.
    """
    daily = world.shape.daily_ratings
    candidates = (day << 32) + np.arange(max(8, daily // 20))
    active = np.unique(world.dice.below("active", candidates, world.shape.users))
    before = world.ratings_of(active)
    if day == 1:
        return before[: daily // 2]
    joining = world.new_users(day)
    first = _session(world, "join", day, joining, 30 + world.dice.below("first session", joining, 40))
    counts = 1 + world.dice.below(f"session size {day}", active, daily // len(active))
    new = _new(_session(world, "new", day, active, counts), before)
    late = _new(_session(world, "late", day, active, np.maximum(counts // 4, 1)), before, new)
    revised = few(world, f"revise {day}", before, daily // 5)
    luck, moment = world.dice.pair(f"revision {day}", keys(revised))
    revised[:, 2] = (revised[:, 2] + below(luck, 9)) % 10 + 1
    revised[:, 3] = start_of(day) + below(moment, DAY_SECONDS)
    return np.concatenate([new, first, revised, late])


def ratings_on(world: World, day: int) -> Ints:
    """The ratings that `day` ships: its fresh ones, and some of the day before once more, unchanged."""
    fresh = fresh_ratings(world, day)
    repeated = few(world, f"repeat {day}", _new(fresh_ratings(world, day - 1), fresh), world.shape.daily_ratings // 10)
    rows = np.concatenate([fresh, repeated])
    return rows[np.argsort(keys(rows))]
