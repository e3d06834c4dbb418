"""The text of a movie: its title with every form the real releases have, its genres, its ids elsewhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np

from ingest.sources.formats import NO_GENRES
from ingest.sources.sample.draw import Dice, Flags, Hand, Ints

WORDS = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
# One movie in 293 has the same slot, so that each oddity occurs whatever the size and the seed: those of titles have
# the first slots, the others these.
_SLOTS = 293
_UNSORTED, _EIGHT_DIGITS, _NO_TMDB, _SHARED_TMDB, _SAME_TITLE = 273, 285, 287, 289, 292
_IMDB_PRIME, _TMDB_PRIME = 9_999_991, 999_983
_FIRST_LONG_IMDB = 10_000_000
_NAMES = [form for form, count in WORDS["names"].items() for _ in range(count)]
_GENRES = [genre for genre, count in WORDS["genres"].items() for _ in range(count)]


def slot_of(indexes: Ints) -> Ints:
    """The slot of each movie."""
    return (indexes * 37 + 150) % _SLOTS


def title_sources(indexes: Ints) -> Ints:
    """The movie whose title and year each movie bears: itself, but for the same title under two ids."""
    return np.where(slot_of(indexes) == _SAME_TITLE, indexes - 1, indexes)


def titles(dice: Dice, indexes: Ints, years: Ints, versions: dict[int, int]) -> list[str]:
    """Titles as shipped; `versions` says how often a movie's title was corrected (never, if it is not named)."""
    sources = title_sources(indexes)
    result = []
    columns = indexes.tolist(), slot_of(sources).tolist(), years.tolist(), dice.hands("title", sources)
    for index, slot, year, hand in zip(*columns, strict=True):
        name, later, form = _name(hand), year + 1 + hand.pick(range(6)), "{name} ({year})"
        if version := versions.get(index):
            name = f"{name}: {WORDS['subtitles'][(index + version) % len(WORDS['subtitles'])]}"
        elif slot < len(WORDS["title_forms"]):
            form = WORDS["title_forms"][slot]
        result.append(form.format(name=name, year=year, later=later))
    return result


def _name(hand: Hand) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: str(hand.pick(WORDS[found[1]])), hand.pick(_NAMES))


def genres(dice: Dice, indexes: Ints, versions: dict[int, int]) -> list[str]:
    """Genre lists as shipped; each correction (see `titles`) adds another genre."""
    result = []
    columns = indexes.tolist(), slot_of(indexes).tolist(), dice.hands("genres", indexes)
    for index, slot, hand in zip(*columns, strict=True):
        chosen = {hand.pick(_GENRES) for _ in range(1 + hand.pick(range(3)))} if hand.pick(range(80)) else set()
        if slot == _UNSORTED:
            chosen |= {"Adventure", "Comedy"}
        if version := versions.get(index):
            others = [genre for genre in WORDS["genres"] if genre not in chosen]
            chosen.add(others[(index + version) % len(others)])
        result.append("|".join(sorted(chosen, reverse=slot == _UNSORTED)) or NO_GENRES)
    return result


def tmdb_known_on(dice: Dice, indexes: Ints) -> Ints:
    """The day on which the tmdbId of each movie becomes known: 1 for most, some days later for others."""
    lacks: Flags = (dice.below("no tmdb", indexes, 100) == 0) | (slot_of(indexes) == _NO_TMDB)
    return np.where(lacks, 2 + dice.below("link filled", indexes, 14), 1)


def links(dice: Dice, indexes: Ints, years: Ints, known: Flags) -> tuple[list[str], list[str]]:
    """The imdbId and the tmdbId of movies as shipped; the latter is empty unless `known`."""
    start = int(dice.below("links", np.zeros(1, dtype=np.int64), _TMDB_PRIME)[0])
    imdb = (indexes * 2_654_435 + start) % _IMDB_PRIME + 1
    long = (years >= 2018) | (slot_of(indexes) == _EIGHT_DIGITS)
    imdb = np.where(long, _FIRST_LONG_IMDB + indexes, imdb)
    tmdb = (np.where(slot_of(indexes) == _SHARED_TMDB, indexes - 1, indexes) * 48_271 + start) % _TMDB_PRIME + 2
    return (
        [f"{number:07d}" for number in imdb.tolist()],
        [str(number) if has else "" for number, has in zip(tmdb.tolist(), known.tolist(), strict=True)],
    )
