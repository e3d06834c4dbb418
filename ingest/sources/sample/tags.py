"""User tags and the genome's vocabulary."""

from __future__ import annotations

from itertools import chain

import numpy as np

from ingest.sources.sample.changes import fresh_ratings, start_of
from ingest.sources.sample.day import DAY_SECONDS
from ingest.sources.sample.draw import Ints, weighted
from ingest.sources.sample.words import FIRST_NAMES, LAST_NAMES, ODD_TAGS, PHRASES
from ingest.sources.sample.world import World

_VARIANTS = (str.title, str.upper, str.capitalize)
_PLAIN = (*PHRASES, *(f"{first} {last}".lower() for last in LAST_NAMES for first in FIRST_NAMES))
_PAIRED = 2 * len(_PLAIN)
_SLOTS = 211
_CASE_SLOTS = (200, 204, 208)


def vocabulary() -> tuple[str, ...]:
    """Every user tag: pairs that differ only by case, one after the other, then the odd ones."""
    pairs = ((tag, _VARIANTS[number % 3](tag)) for number, tag in enumerate(_PLAIN))
    return (*chain.from_iterable(pairs), *ODD_TAGS)


def genome_tags(count: int) -> list[str]:
    """The genome's tags in the order of their ids, from 1."""
    return sorted(("007", *PHRASES)[:count])


def _drawn_tags(world: World, stream: str, counters: Ints) -> Ints:
    rank = np.arange(_PAIRED)
    common = 2**24 // (rank // 2 + 20)
    return weighted(np.where(rank % 2, common // 6 + 1, common), world.dice.pair(stream, counters)[0])


def _keys(rows: Ints) -> Ints:
    return (rows[:, 0] << 40) + (rows[:, 1] << 16) + rows[:, 2]


def _unique(rows: Ints) -> Ints:
    """One row per (user, movie, tag), the latest, in file order."""
    rows = rows[np.lexsort((-rows[:, 3], _keys(rows)))]
    return rows[np.unique(_keys(rows), return_index=True)[1]]


def first_tags(world: World) -> Ints:
    """The tags of day 1: rows (user, movie, tag, timestamp) in file order.

    Few users tag, and few of them tag much; three in ten tags are for a movie that the user may never have rated.
    """
    shape, dice = world.shape, world.dice
    taggers = np.unique(dice.below("tagger", np.arange(max(5, shape.users // 17)), shape.users))
    ratings, counts = world.ratings_of(taggers), world.counts[taggers]
    nth = np.arange(shape.tags + shape.tags // 20)
    luck, place = dice.pair("tag by", nth)
    who = weighted(2**22 // (np.arange(len(taggers)) + 12), luck)
    row = (np.cumsum(counts) - counts)[who] + ((place * counts[who]) >> 32)
    luck, other = dice.pair("tag on", nth)
    movie = np.where(luck % 10 < 3, (other * world.catalogue[taggers[who]]) >> 32, ratings[row, 1])
    slot = nth % _SLOTS
    tag = np.where(slot < len(ODD_TAGS), _PAIRED + slot, _drawn_tags(world, "tag", nth))
    timestamp = ratings[row, 3] + 5 + dice.below("tag when", nth, 600)
    rows = np.column_stack([taggers[who], movie, tag, timestamp])
    again = nth[np.isin(slot, _CASE_SLOTS)]
    rows[again] = rows[again - 1]
    rows[again, 2] ^= 1
    rows[again, 3] += 3
    return _unique(rows[np.sort(np.unique(_keys(rows), return_index=True)[1])[: shape.tags]])


def new_tags(world: World, day: int, ratings: Ints) -> Ints:
    """The tags given on `day` by people who gave new `ratings` that day."""
    nth = (day << 32) + np.arange(max(6, world.shape.tags // 250))
    user, movie, _, rated = ratings[world.dice.below("new tag on", nth, len(ratings))].T
    timestamp = np.minimum(rated + world.dice.below("new tag when", nth, DAY_SECONDS // 4), start_of(day + 1) - 1)
    return _unique(np.column_stack([user, movie, _drawn_tags(world, "new tag", nth), timestamp]))


def tags_are_full(day: int) -> bool:
    """Whether `day` ships all tags, as it must when some were withdrawn; other days ship the new ones."""
    return day == 1 or day % 2 == 0


def tags_on(world: World, day: int) -> Ints:
    """All tags as they stand on `day`; some are withdrawn on each day that ships them all."""
    rows = first_tags(world)
    for past in range(2, day + 1):
        gone = max(3, len(rows) // 500) if tags_are_full(past) else 0
        order = np.argsort(world.dice.bits(f"withdraw {past}", _keys(rows)), kind="stable")
        added = new_tags(world, past, fresh_ratings(world, past)["new"])
        rows = _unique(np.concatenate([rows[order[gone:]], added]))
    return rows
