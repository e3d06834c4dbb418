"""User tags and the genome's vocabulary."""

from __future__ import annotations

from itertools import chain, product

import numpy as np

from ingest.sources.sample.changes import fresh_ratings
from ingest.sources.sample.day import DAY_SECONDS, modes, start_of
from ingest.sources.sample.draw import Ints, weighted
from ingest.sources.sample.titles import WORDS
from ingest.sources.sample.world import World

_VARIANTS = (str.title, str.upper, str.capitalize)
_PHRASES = [
    *WORDS["common_tags"],
    *(f"{mood} {subject}" for subject, mood in product(WORDS["subjects"], WORDS["moods"])),
]
_PEOPLE = [f"{first} {last}".lower() for last, first in product(WORDS["last_names"], WORDS["first_names"])]
_PAIRS = [(tag, _VARIANTS[number % 3](tag)) for number, tag in enumerate([*_PHRASES, *_PEOPLE])]
VOCABULARY = [*chain.from_iterable(_PAIRS), *WORDS["odd_tags"]]
"""Every user tag: pairs that differ only by case, one after the other, then the odd ones."""
_PAIRED = 2 * len(_PAIRS)
_SLOTS = 211
_CASE_SLOTS = (200, 204, 208)


def genome_tags(count: int) -> list[str]:
    """The genome's tags in the order of their ids, from 1."""
    return sorted(["007", *_PHRASES][:count])


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
    tag = np.where(slot < len(WORDS["odd_tags"]), _PAIRED + slot, _drawn_tags(world, "tag", nth))
    timestamp = ratings[row, 3] + 5 + dice.below("tag when", nth, 600)
    rows = np.column_stack([taggers[who], movie, tag, timestamp])
    again = nth[np.isin(slot, _CASE_SLOTS)]
    rows[again] = rows[again - 1] + (0, 0, 0, 3)
    rows[again, 2] ^= 1
    return _unique(rows[np.sort(np.unique(_keys(rows), return_index=True)[1])[: shape.tags]])


def new_tags(world: World, day: int) -> Ints:
    """The tags that people give on `day` to movies that they rate that day."""
    ratings, nth = fresh_ratings(world, day), (day << 32) + np.arange(max(6, world.shape.tags // 250))
    user, movie, _, rated = ratings[world.dice.below("new tag on", nth, len(ratings))].T
    timestamp = np.minimum(rated + world.dice.below("new tag when", nth, DAY_SECONDS // 4), start_of(day + 1) - 1)
    return _unique(np.column_stack([user, movie, _drawn_tags(world, "new tag", nth), timestamp]))


def tags_on(world: World, day: int) -> Ints:
    """The tags that `day` ships: its new ones, or all as they stand; of all, some are withdrawn each time."""
    if modes(day)["tags"] == "delta":
        return new_tags(world, day)
    rows = first_tags(world)
    for past in range(2, day + 1):
        gone = max(3, len(rows) // 500) if modes(past)["tags"] == "full" else 0
        order = np.argsort(world.dice.bits(f"withdraw {past}", _keys(rows)), kind="stable")
        rows = _unique(np.concatenate([rows[order[gone:]], new_tags(world, past)]))
    return rows
