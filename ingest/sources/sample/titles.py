"""The text of a movie: its title with every form the real releases have, its genres, its ids elsewhere."""

from __future__ import annotations

import numpy as np

from ingest.sources.sample import words
from ingest.sources.sample.draw import Dice, Flags, Ints, weighted

_SLOTS = 293

TITLE_FORMS = (
    "{name}",
    "{name} ({year}–{later})",
    "{name} ({year}-{later})",
    "{name} ({year}-)",
    "{name} ({year}– )",
    "{name} ({year}))",
    "{name} ({year}) ({year})",
    "{name}\u00a0({year})",
    "Night\u00a0of {name} ({year})",
    "{name} ({year})\u00a0",
    "\u200b{name} ({year})",
    "{name}\u200e ({year})",
    " {name} ({year})",
    "{name} ({year}) ",
    "  {name}  ({year})  ",
    '"{name}" ({year})',
    '{name}: The "Real" Story ({year})',
    "Bread, Salt, {name} ({year})",
    "{name}|Redux ({year})",
    "Café {name} ({year})",
    "{name} (Cafe\u0301 Noir) ({year})",
    "{name} (千の夜) ({year})",
    "{name} \\ Reverse ({year})",
    "{later} ({year})",
    "{name}({year})",
    "(Un){name} ({year})",
    "...And {name}!? ({year})",
)
"""One per slot (see `slot_of`) from 0 on; `later` is some years after `year`."""

_UNSORTED, _EIGHT_DIGITS, _NO_TMDB, _SHARED_TMDB, _SAME_TITLE = 273, 285, 287, 289, 292
_IMDB_PRIME, _TMDB_PRIME = 9_999_991, 999_983
_FIRST_LONG_IMDB = 10_000_000
_GENRE_NAMES, _GENRE_WEIGHTS = tuple(words.GENRES), np.array(tuple(words.GENRES.values()))


def slot_of(indexes: Ints) -> Ints:
    """A movie's slot: one movie in 293 has the same, so that each oddity occurs whatever the size and the seed."""
    return (indexes * 37 + 150) % _SLOTS


def title_sources(indexes: Ints) -> Ints:
    """The movie whose title and year each movie bears: itself, but for the same title under two ids."""
    return np.where(slot_of(indexes) == _SAME_TITLE, indexes - 1, indexes)


# How many names in twenty have a form, the form, and the words that fill it.
_NAMES: tuple[tuple[int, str, tuple[tuple[str, ...], ...]], ...] = (
    (6, "{} {}, The", (words.ADJECTIVES, words.NOUNS)),
    (2, "{} {}", (words.ADJECTIVES, words.NOUNS)),
    (2, "{} to {}", (("Return", "Road", "Letters", "Escape", "Journey"), words.PLACES)),
    (2, "{}'s {}, {}", (words.PEOPLE, words.NOUNS, ("The", "The", "A"))),
    (2, "{} and the {} {}", (words.FIRST_NAMES, words.ADJECTIVES, words.NOUNS)),
    (1, "{} {}", (words.FIRST_NAMES, words.LAST_NAMES)),
    (1, "{} of {}, {}", (words.NOUNS, words.PLACES, ("The", "A"))),
    (1, "{} {} {}", (words.ADJECTIVES, words.NOUNS, ("II", "III", "IV"))),
    (1, "{} & {}", (words.NOUNS, words.NOUNS)),
    (1, "{1} {2}, The ({0})", (words.FOREIGN, words.ADJECTIVES, words.NOUNS)),
    (1, "{} (a.k.a. {} {})", (words.NOUNS, words.ADJECTIVES, words.NOUNS)),
)
_NAME_FORMS = [(form, lists) for count, form, lists in _NAMES for _ in range(count)]


def titles(dice: Dice, indexes: Ints, years: Ints, versions: dict[int, int]) -> list[str]:
    """Titles as shipped; `versions` says how often a movie's title was corrected (never, if it is not named).

    The first correction of an odd title is its plain form; others change the subtitle.
    """
    sources = title_sources(indexes)
    result = []
    columns = indexes.tolist(), slot_of(sources).tolist(), years.tolist(), dice.hands("title", sources)
    for index, slot, year, hand in zip(*columns, strict=True):
        name_form, lists = _NAME_FORMS[hand(len(_NAME_FORMS))]
        name = name_form.format(*(choices[hand(len(choices))] for choices in lists))
        version = versions.get(index, 0)
        form = TITLE_FORMS[slot] if slot < len(TITLE_FORMS) and not version else "{name} ({year})"
        if version > (slot < len(TITLE_FORMS)):
            name = f"{name}: {words.SUBTITLES[(index + version) % len(words.SUBTITLES)]}"
        result.append(form.format(name=name, year=year, later=year + 1 + hand(6)))
    return result


def genres(dice: Dice, indexes: Ints, versions: dict[int, int]) -> list[str]:
    """Genre lists as shipped; a correction (see `titles`) adds a genre, or the first one where none was listed."""
    draws = [weighted(_GENRE_WEIGHTS, dice.pair(f"genre {n}", indexes)[0]).tolist() for n in range(3)]
    result = []
    columns = indexes.tolist(), slot_of(indexes).tolist(), dice.hands("genres", indexes)
    for index, slot, hand, *drawn in zip(*columns, *draws, strict=True):
        version = versions.get(index, 0)
        chosen = set(drawn[: 1 + hand(3)])
        if slot == _UNSORTED:
            chosen = {1, 4, *chosen}
        elif not hand(80):
            chosen = set()
        if version:
            others = [number for number in range(len(_GENRE_NAMES)) if number not in chosen]
            chosen.add(others[(index + version) % len(others)])
        names = sorted((_GENRE_NAMES[number] for number in chosen), reverse=slot == _UNSORTED)
        result.append("|".join(names) or words.NO_GENRES)
    return result


def lacks_tmdb(dice: Dice, indexes: Ints) -> Flags:
    """Which movies have no tmdbId at first."""
    lacks: Flags = (dice.below("no tmdb", indexes, 100) == 0) | (slot_of(indexes) == _NO_TMDB)
    return lacks


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
