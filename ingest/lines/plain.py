"""A quick proof that lines are as GroupLens writes them, so that they need no closer look.

It is sufficient, not necessary: lines that it proves match `ingest.lines.rules.line_pattern`, which stays the one
truth; about other lines it says nothing. It takes 1 s of CPU per GB; reading a part back and matching it takes 5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ingest.schema import Kind, Table

# What numpy notes about so many bytes fits the CPU's cache: twice as fast as a whole block at once.
STEP = 512 << 10
_ZERO, _ONE, _FIVE, _POINT = b"015."


def all_plain(table: Table, lines: bytes) -> bool:
    """Whether each of `lines`, all ended by LF, is proven to be one that can be loaded into `table`.

    False means nothing: forms that are rare are not known here, nor is free text.
    """
    if table.has_text or not lines.endswith(b"\n"):
        return False
    start = 0
    while start < len(lines):
        end = lines.find(b"\n", min(start + STEP, len(lines) - 1)) + 1
        if not _proven(table, np.frombuffer(lines, np.uint8, end - start, start)):
            return False
        start = end
    return True


def _proven(table: Table, codes: np.ndarray) -> bool:
    columns = len(table.columns)
    ends = np.flatnonzero(codes < _POINT)  # every byte that is no point, no digit and no letter
    lines = len(ends) // columns
    if codes[ends].tobytes() != (b"," * (columns - 1) + b"\n") * lines:
        return False
    starts = np.concatenate(([0], ends[:-1] + 1))
    widths = (ends - starts).reshape(lines, columns)
    starts = starts.reshape(lines, columns)
    points = 0
    for number, column in enumerate(table.columns):
        known = _PROOFS[column.kind](_Values(codes, starts[:, number], widths[:, number]))
        if known is None:
            return False
        points += known
    digits = int(np.count_nonzero(codes - _ZERO < 10))  # unsigned: a byte below "0" becomes a large number
    return digits + points + len(ends) == len(codes)


@dataclass(frozen=True)
class _Values:
    """A column: where each value starts in `codes`, and how many bytes it is long."""

    codes: np.ndarray
    starts: np.ndarray
    widths: np.ndarray

    def at(self, place: int) -> np.ndarray:
        """The byte at a place, counted from 0, of each value; of a shorter one, a byte behind it."""
        return self.codes.take(self.starts + place, mode="clip")

    def within(self, shortest: int, longest: int) -> bool:
        """Whether each value is so long."""
        return bool(shortest <= self.widths.min() and self.widths.max() <= longest)


# A proof may take for granted that values hold only digits and points: it returns how many points it has seen in their
# places, and `_proven` sees to it that all other bytes are digits. None: there is a value that it does not know.


def _id(values: _Values, shortest: int = 1) -> int | None:
    # nine digits stay below 2 ** 31
    return 0 if values.within(shortest, 9) and (values.at(0) != _ZERO).all() else None


def _tmdb_id(values: _Values) -> int | None:
    return _id(values, shortest=0)


def _imdb_id(values: _Values) -> int | None:
    return 0 if values.within(0, 18) else None


def _timestamp(values: _Values) -> int | None:
    return 0 if values.within(1, 10) else None


def _rating(values: _Values) -> int | None:
    if not values.within(3, 3) or (values.at(1) != _POINT).any():
        return None
    last = values.at(2)
    tenths = (values.at(0) - _ZERO) * 10 + (last - _ZERO)
    stars = ((last == _ZERO) | (last == _FIVE)).all() and tenths.min() >= 5 and tenths.max() <= 50
    return len(last) if stars else None


def _relevance(values: _Values) -> int | None:
    first, pointed, widths = values.at(0), values.at(1) == _POINT, values.widths
    below_one = (first == _ZERO) & pointed & (widths > 2)
    one = (first == _ONE) & pointed & (widths == 3) & (values.at(2) == _ZERO)
    whole = (widths == 1) & ((first == _ZERO) | (first == _ONE))
    known = values.within(1, 62) and (below_one | one | whole).all()
    return int(np.count_nonzero(below_one | one)) if known else None


_PROOFS: dict[Kind, Callable[[_Values], int | None]] = {
    "id": _id,
    "tmdb_id": _tmdb_id,
    "imdb_id": _imdb_id,
    "timestamp": _timestamp,
    "rating": _rating,
    "relevance": _relevance,
}
