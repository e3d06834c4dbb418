"""Forms other than the CSV of the contract in which MovieLens files are found, and how their lines become CSV.

- ml-100k: `u.data`, `u.item` and `u.user`, whose separators are tabs and bars; some copies have a header line.
- ml-1m and ml-10m: `ratings.dat`, `movies.dat`, `tags.dat` and `users.dat`, whose separator is `::`.
- CSV copies with an index column or whole numbers with a point (pandas), semicolons (spreadsheets) or dates for
  timestamps (ml-20m of Kaggle).
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain
from typing import BinaryIO

from ingest.schema import TABLES, Kind, Table

# As u.genre lists them, in the order of u.item's flags.
GENRES = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
NO_GENRES = "(no genres listed)"
_START = 1 << 16
_DELIMITERS = {",": (), ";": ("semicolons",), "\t": ("tabs",)}
_INDEX = ("", "Unnamed: 0", "index")
_DATED = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}")
_DATED_END = re.compile(rf',("?)({_DATED.pattern})\1\n'.encode())
_DATES = "timestamps as dates"


@dataclass(frozen=True)
class Form:
    """How a file is read: `name`, for the manifest; `header`, whether its first line is one; `encoding`.

    The CSV of the contract is the one without a name.

    `convert` makes a line one of the contract's CSV, and raises ValueError with the reason where that cannot be done.
    `quick` does so for many lines at once, ten times as fast; it gives None where they need a closer look.
    """

    name: str
    header: bool
    encoding: str
    convert: Callable[[str], str]
    quick: Callable[[bytes], bytes | None] = lambda lines: None


CSV = Form("", True, "utf-8", lambda line: line, lambda lines: lines)


@dataclass(frozen=True)
class _Older:
    """A file of an older release: its table, what separates its fields, how many there are, and which may hold that."""

    table: str
    name: str
    separator: str
    fields: int
    text: int | None = None
    to_row: Callable[[list[str]], list[str]] = list

    def convert(self, line: str) -> str:
        fields = line.split(self.separator)
        if self.text is not None:
            *before, rest = line.split(self.separator, self.text)
            fields = [*before, *rest.rsplit(self.separator, self.fields - self.text - 1)]
        if len(fields) != self.fields:
            raise ValueError(f"{len(fields)} fields instead of {self.fields}")
        return _as_csv(self.to_row(fields))


def _movie(fields: list[str]) -> list[str]:
    flags = fields[-len(GENRES) :]
    if not {"0", "1"}.issuperset(flags):
        raise ValueError("a genre is flagged by something else than 0 and 1")
    genres = [genre for genre, flag in zip(GENRES, flags, strict=True) if flag == "1"]
    return [*fields[:2], "|".join(genres) or NO_GENRES]


_OLDER = {
    "u.data": _Older("ratings", "ml-100k", "\t", 4),
    "u.item": _Older("movies", "ml-100k", "|", 5 + len(GENRES), 1, _movie),
    "u.user": _Older("users", "ml-100k", "|", 5, None, lambda fields: [fields[0], fields[2], fields[1], *fields[3:]]),
    "ratings.dat": _Older("ratings", "double colons", "::", 4),
    "movies.dat": _Older("movies", "double colons", "::", 3, 1),
    "tags.dat": _Older("tags", "double colons", "::", 4, 2),
    "users.dat": _Older("users", "double colons", "::", 5),
}
_KAGGLE = {
    table.file.replace("-", "_") if "-" in table.file else table.file.replace("s.csv", ".csv"): table.name
    for table in TABLES.values()
}
# The table of each file name.
FILES: dict[str, str] = {
    **{table.file: table.name for table in TABLES.values()},
    **_KAGGLE,
    **{file: older.table for file, older in _OLDER.items()},
}


def form_of(table: Table, stream: BinaryIO, utf8: bool) -> Form:
    """The form of a file: `CSV` where it is nothing else that is known.

    `utf8`: it is known to be UTF-8, whatever it holds.
    """
    start = stream.read(_START).removeprefix(codecs.BOM_UTF8)
    first, _, rest = start.partition(b"\n")
    if older := _OLDER.get(re.sub(r"\.(gz|zst)$", "", table.file.lower())):
        names = first.rstrip(b"\r").decode(errors="replace").split(older.separator)
        header = len(names) == older.fields and all(re.search("[A-Za-z]", name) for name in names)
        encoding = "iso-8859-1" if table.has_text and not utf8 and not _is_utf8(start, stream) else "utf-8"
        traits = [older.name, *["header line"] * header, *[encoding] * (encoding != "utf-8")]
        form = Form(", ".join(traits), header, encoding, older.convert)
        return form if table.has_text else replace(form, quick=partial(_with_commas, older.separator.encode()))
    lines = rest.decode(errors="replace").split("\n")
    if len(start) > _START - len(codecs.BOM_UTF8) - 1:
        lines.pop()  # which may go on
    return _copy(table, first.decode(errors="replace"), lines)


def _is_utf8(start: bytes, stream: BinaryIO) -> bool:
    try:
        for _ in codecs.iterdecode(chain([start], iter(partial(stream.read, 1 << 20), b"")), "utf-8"):
            pass
    except UnicodeDecodeError:
        return False
    return True


def _copy(table: Table, header: str, lines: list[str]) -> Form:
    expected = table.header.split(",")
    for delimiter in _DELIMITERS:
        cells = _cells(header.rstrip("\r"), delimiter)
        index = bool(cells) and cells[0] in _INDEX and cells[1:] == expected
        if cells == expected or index:
            break
    else:
        return CSV
    dated = table.event_time and lines and _DATED.fullmatch((_cells(lines[0].rstrip("\r"), delimiter) or [""])[-1])
    quoted = header.startswith('"') and not index
    pointed = not index and _has_points(table, lines, delimiter)
    traits = [*_DELIMITERS[delimiter], *["quoted"] * quoted, *["index column"] * index, *[_DATES] * bool(dated)]
    traits += ["whole numbers with a point"] * pointed
    if not traits:
        return CSV
    convert = partial(_convert, table=table, delimiter=delimiter, index=index)
    form = Form(", ".join(traits), True, "utf-8", convert)
    return replace(form, quick=_with_seconds) if traits == [_DATES] else form


def _has_points(table: Table, lines: list[str], delimiter: str) -> bool:
    """Whether pandas has made a column of whole numbers one of floats, as it does where a value is missing."""
    for place, column in enumerate(table.columns):
        if column.kind in ("tmdb_id", "age"):
            rows = (_cells(line.rstrip("\r"), delimiter) for line in lines)
            values = [row[place] for row in rows if len(row) == len(table.columns) and row[place]]
            if values and all(re.fullmatch(r"[0-9]+\.0", value) for value in values):
                return True
    return False


def _with_commas(separator: bytes, lines: bytes) -> bytes | None:
    return None if b"," in lines else lines.replace(separator, b",")


def _with_seconds(lines: bytes) -> bytes | None:
    try:
        return _DATED_END.sub(lambda found: b",%d\n" % _seconds(found[2].decode()), lines)
    except ValueError:
        return None


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []


def _convert(line: str, *, table: Table, delimiter: str, index: bool) -> str:
    if table.has_text:
        fields = next(csv.reader([line], delimiter=delimiter, strict=True), [])
    else:
        fields = [f[1:-1] if f[:1] == '"' == f[-1:] and len(f) > 1 else f for f in line.split(delimiter)]
    if index and not fields.pop(0).isdecimal():
        raise ValueError("the index column holds no number")
    if len(fields) != len(table.columns):
        raise ValueError(f"{len(fields) + index} fields instead of {len(table.columns) + index}")
    return _as_csv([_as_shipped(column.kind, field) for column, field in zip(table.columns, fields, strict=True)])


def _as_shipped(kind: Kind, text: str) -> str:
    """A value as GroupLens writes it, whatever pandas or a spreadsheet has made of it."""
    match kind:
        case "rating" | "relevance":
            return text.replace(",", ".")  # the decimal point of other countries
        case "timestamp":
            text = text.removesuffix(".0")
            return str(_seconds(text)) if _DATED.fullmatch(text) else text
        case "id" | "tmdb_id" | "age":
            return text.removesuffix(".0")
        case "imdb_id":
            return text.removesuffix(".0").zfill(7) if text else ""
    return text


def _as_csv(fields: list[str]) -> str:
    return ",".join('"' + f.replace('"', '""') + '"' if '"' in f or "," in f else f for f in fields)


def _seconds(date: str) -> int:
    """Seconds since 1970 of a date and time, UTC."""
    return int(datetime.fromisoformat(f"{date}+00:00").timestamp())
