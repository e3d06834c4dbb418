"""What changes on the days after the first: every change follows from seed, shape and day alone.

Day N is reached by replaying indexes of days 2 to N, never files.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from ingest.sources.sample.day import DAY_SECONDS
from ingest.sources.sample.draw import Ints, below
from ingest.sources.sample.titles import lacks_tmdb
from ingest.sources.sample.world import NOW, World

FLIPPING = (40, 41)
"""Two movies whose title is corrected on day 2 and set back on day 4, and so on (A→B→A)."""

_LATE_DAYS = 30
_GENOME_EVERY = 7


def start_of(day: int) -> int:
    """The second in which `day` begins; it ends with its as_of."""
    return NOW + (day - 2) * DAY_SECONDS


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


def filled_links(world: World, day: int) -> Ints:
    """The movies whose tmdbId becomes known on `day`."""
    everything = np.arange(world.shape.movies)
    missing = everything[lacks_tmdb(world.dice, everything)]
    missing = missing[np.argsort(world.dice.bits("fill link", missing), kind="stable")]
    count = max(2, len(missing) // 40)
    return np.sort(missing[(day - 2) * count : (day - 1) * count])


def newly_scored(world: World, day: int) -> Ints:
    """The movies that get their genome scores on `day`: none on most days."""
    count = max(3, world.shape.genome_movies // 300)
    if day % _GENOME_EVERY:
        return np.arange(0)
    first = world.shape.genome_movies + (day // _GENOME_EVERY - 1) * count
    return np.flatnonzero((world.rank >= first) & (world.rank < first + count))


def active_users(world: World, day: int) -> Ints:
    """The existing users who are on the site on `day`."""
    count = max(8, world.shape.daily_ratings // 20)
    return np.unique(world.dice.below("active", (day << 32) + np.arange(count), world.shape.users))


def _keys(rows: Ints) -> Ints:
    return (rows[:, 0] << 32) + rows[:, 1]


def _new(rows: Ints, *known: Ints) -> Ints:
    return rows[~np.isin(_keys(rows), np.concatenate([_keys(other) for other in known]))]


def _least(world: World, stream: str, rows: Ints, count: int) -> Ints:
    """`count` of the rows by the luck of the draw."""
    return rows[np.sort(np.argsort(world.dice.bits(stream, _keys(rows)), kind="stable")[:count])]


def _session(world: World, kind: str, day: int, users: Ints, counts: Ints) -> Ints:
    """Ratings that `users` give in a session of `day`, or, if `kind` is late, that happened in the days before it."""
    catalogue = np.full(len(users), world.shape.movies)
    row, movie = world.distinct_movies(f"{kind} movie {day}", users, counts, catalogue)
    if kind != "late":
        releases = world.new_movies(day)
        swap = world.dice.below(f"{kind} release {day}", np.arange(len(row)), 8) == 0
        movie = np.where(swap, releases[np.arange(len(row)) % len(releases)], movie)
    moment = world.dice.pair(f"{kind} when {day}", (users[row] << 20) + movie)[0]
    if kind == "late":
        timestamp = start_of(day) - 1 - below(moment, _LATE_DAYS * DAY_SECONDS)
    else:
        begin = start_of(day) + world.dice.below(f"{kind} begin {day}", users, DAY_SECONDS // 2)
        timestamp = begin[row] + below(moment, counts[row] * 8 + 20)
    stars = world.stars(f"{kind} {day}", users, row, movie, timestamp)
    rows = np.column_stack([users[row], movie, stars, timestamp])
    return rows[np.unique(_keys(rows), return_index=True)[1]]


def fresh_ratings(world: World, day: int) -> dict[str, Ints]:
    """The ratings that `day` brings, by kind (new, revised, late); day 1 stands for some of its ratings.

    `new` and `late` pairs of user and movie did not exist on day 1.
    """
    active = active_users(world, day)
    before = world.ratings_of(active)
    daily = world.shape.daily_ratings
    if day == 1:
        return {"new": before[: daily // 2]}
    joining = world.new_users(day)
    first = _session(world, "join", day, joining, 30 + world.dice.below("first session", joining, 40))
    counts = 1 + world.dice.below(f"session size {day}", active, daily // len(active))
    new = np.concatenate([_new(_session(world, "new", day, active, counts), before), first])
    revised = _least(world, f"revise {day}", before, daily // 5)
    luck, moment = world.dice.pair(f"revision {day}", _keys(revised))
    revised[:, 2] = (revised[:, 2] + below(luck, 9)) % 10 + 1
    revised[:, 3] = start_of(day) + below(moment, DAY_SECONDS)
    late = _new(_session(world, "late", day, active, np.maximum(counts // 4, 1)), before, new)
    return {"new": new, "revised": revised, "late": late}


def repeated_ratings(world: World, day: int, fresh: dict[str, Ints]) -> Ints:
    """Rows of the day before that `day`, with its `fresh` ratings, ships once more, unchanged."""
    before = _new(np.concatenate(list(fresh_ratings(world, day - 1).values())), *fresh.values())
    return _least(world, f"repeat {day}", before, world.shape.daily_ratings // 10)
