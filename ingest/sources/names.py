"""Which files of a source are tables: taken where a name can mean one thing only, and else named as near misses.

A near miss is never passed over in silence: a table that was meant and not read is lost data.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise

from ingest.errors import SourceError
from ingest.schema import TABLES
from ingest.sources.formats import FILES

_SHOWN = 10
# Whose files these are: those of two releases do not mix.
_FAMILIES = {"csv": "CSV files", "dat": "files of ml-1m or ml-10m"}
# A file's words without their plural, run together: "genomescore".
_WORDS = {re.sub(r"[^a-z]|s?\.csv$", "", table.file): table.name for table in TABLES.values()}
_ARCHIVE = r"\.(zip|7z|rar|tar|tgz|gz|bz2|xz|zst)"
_DATA = r"\.(csv|tsv|tab|txt|dat|data|json|jsonl|ndjson|parquet|feather|arrow|xlsx?|ods|sqlite|db)"
_LEFT = r"\.(bak|old|orig|tmp|part|partial|crdownload|download|\d+)|~"
_ENDINGS = re.compile(rf"(\s*({_ARCHIVE}|{_DATA}|{_LEFT}))*\s*$")


@dataclass(frozen=True)
class Recognised:
    """`members`: for each table that is there, the name of its file; `warnings`: what was left out, and why."""

    members: dict[str, str]
    warnings: tuple[str, ...]


def is_litter(name: str) -> bool:
    """Whether a file is one that systems and programs leave behind, such as `.DS_Store`, `__MACOSX`, `~$u.data`."""
    parts = name.replace("\\", "/").split("/")
    return any(part.startswith((".", "__MACOSX", "~$")) and part != "." for part in parts)


def recognise(label: str, names: Iterable[str]) -> Recognised:
    """Finds the tables among the names of a source's files, at any depth; `label` is the source, for messages.

    Case, backslashes for slashes and a compressed file (`.gz`, `.zst`) do not matter; what is litter is passed over.
    Raises SourceError where a table is there twice, where a file looks like a table that is otherwise absent, and where
    there is no table.
    """
    found: dict[str, list[str]] = defaultdict(list)
    near: list[tuple[str, str | None, str]] = []
    for name in sorted(names):
        parts = name.replace("\\", "/").split("/")
        if is_litter(name):
            continue
        if table := FILES.get(_plain(name)):
            found[table].append(name)
        elif problem := _near_miss(parts):
            near.append((name, *problem))
    families: dict[str, str] = {}
    for table, members in found.items():
        if len(members) > 1:
            raise SourceError(f"{label}: {TABLES[table].file} is there twice, as {' and '.join(members)}: keep one")
        families[_FAMILIES.get(_plain(members[0]).rpartition(".")[2], "files of ml-100k")] = members[0]
    if len(families) > 1:
        what = ", ".join(f"{family} ({name})" for family, name in families.items())
        raise SourceError(f"{label}: files of several releases are there: {what}. Keep those of one")
    if missed := [f"\n  {name} {why}" for name, table, why in near if table not in found and (table or not found)]:
        missed[_SHOWN:] = [f"\n  and {len(missed) - _SHOWN:,} more"] if len(missed) > _SHOWN else []
        raise SourceError(
            f"{label}: nothing was landed, since a table may be meant by{''.join(missed)}"
            "\nUnpack it, save it as CSV and give it the name of the table's file, or move it elsewhere"
        )
    if not found:
        known = ", ".join(table.file for table in TABLES.values())
        raise SourceError(f"{label}: none of {known}, u.data or ratings.dat is in there, at any depth")
    return Recognised(
        {table: found[table][0] for table in TABLES if table in found},
        tuple(f"{label}: {name} was left out: it {why}" for name, _, why in near),
    )


def _plain(name: str) -> str:
    """The name of a file without folders, case and compression."""
    file = name.replace("\\", "/").rpartition("/")[2]
    return re.sub(r"\.(gz|zst)$", "", file.lower()) if file.isascii() else file


def _near_miss(parts: list[str]) -> tuple[str | None, str] | None:
    """The table that a file may be meant for (None: any) and what is wrong with it; None for any other file."""
    file = parts[-1].strip().lower()
    first, *words = re.findall("[a-z]+", file) or [""]
    if first == "u" and (wanted := next((f"u.{word}" for word in words if f"u.{word}" in FILES), None)):
        return FILES[wanted], f"is not called {wanted}"
    stem = _ENDINGS.sub("", file, count=1)
    if stem != file or "." not in file:
        if table := _meant(stem):
            older = f"{table}.dat"
            return table, f"is not called {older if '.dat' in file and older in FILES else TABLES[table].file}"
        for folder in parts[:-1]:
            plain = re.sub(r"[^a-z]", "", folder.lower().removesuffix(".csv")).removesuffix("s")
            if plain in _WORDS and (file.startswith("part-") or ".csv" in file):
                wanted = TABLES[_WORDS[plain]].file
                return _WORDS[plain], f"is one of the parts of {folder}: join them into one {wanted}"
    if re.search(f"{_ARCHIVE}$", file):
        return None, "is an archive, which was not looked into: unpack it and give --source what it holds"
    return None


def _meant(stem: str) -> str | None:
    plurals = [f"{word}s" for word in _WORDS]
    if close := get_close_matches("".join(re.findall("[a-z]", stem)), plurals, n=1, cutoff=0.82):
        return _WORDS[close[0].removesuffix("s")]
    words = [word.removesuffix("s") for word in re.findall("[a-z]+", stem)]
    words = [first + second for first, second in pairwise(words)] + words
    return next((_WORDS[word] for word in sorted(_WORDS, key=len, reverse=True) if word in words), None)
