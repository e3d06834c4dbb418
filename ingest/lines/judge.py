"""Which lines cannot be loaded: a quick proof for plain numbers, the table's pattern for all others.

Both follow from `RULES`. The proof is sufficient, not necessary: about lines that it does not prove it says nothing. It
takes 1 s of CPU per GB, the pattern 20.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass

import numpy as np

from ingest.lines.rules import RULES, Rule, Share, Tenths, Whole, line_pattern
from ingest.schema import Table

# What numpy notes about so many bytes fits the CPU's cache: twice as fast as a whole block at once.
STEP = 512 << 10
_ZERO, _ONE, _POINT, _END = b"01.\n"


def bad_rows(table: Table, lines: bytes) -> array[int]:
    """The rows, from 0, of those of `lines`, each ended by LF, that cannot be loaded into `table`."""
    # one call for many lines, but not for all: until it returns, `re` remembers where each one began
    good_lines = re.compile(f"(?:(?:{line_pattern(table)})\n){{1,1000}}".encode())
    bad = array("q")
    row = counted = at = 0
    while at < len(lines):
        end = lines.index(b"\n", min(at + STEP, len(lines) - 1)) + 1
        if is_plain(table, np.frombuffer(lines, np.uint8, end - at, at)):
            at = end
        while at < end:
            if good := good_lines.match(lines, at, end):
                at = good.end()
            else:
                row += lines.count(b"\n", counted, at)
                bad.append(row)
                counted, at = at, lines.index(b"\n", at) + 1
    return bad


def is_plain(table: Table, codes: np.ndarray) -> bool:
    """Whether lines, given by the codes of their bytes, are proven to be good; False only means "not proven".

    Forms that are rare are not known here, nor is free text.
    """
    if table.has_text or codes[-1] != _END:
        return False
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
        known = _points(RULES[column.kind], _Values(codes, starts[:, number], widths[:, number]))
        if known is None:
            return False
        points += known
    # Every byte is a digit, the end of a value, or a point that was counted in its place.
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
        """Whether every length is in this range."""
        return bool(shortest <= self.widths.min() and self.widths.max() <= longest)


def _points(rule: Rule, values: _Values) -> int | None:
    """How many decimal points a column's values have, each in its place; None where a value may break the rule.

    It counts them so that `is_plain` can check that all other bytes are digits, and looks at nothing else.
    """
    match rule:
        case Whole(low=0 | 1 as low, high=high):
            below = len(str(high + 1)) - 1  # a number of that many digits is never above it
            known = values.within(0 if rule.optional else 1, below) and (
                low == 0 or bool((values.at(0) != _ZERO).all())
            )
            return 0 if known else None
        case Tenths():
            return _tenths(rule, values)
        case Share():
            return _share(rule, values)
    return None


def _tenths(rule: Tenths, values: _Values) -> int | None:
    if not values.within(3, 3) or (values.at(1) != _POINT).any():
        return None
    tenths = (values.at(0) - _ZERO) * 10 + (values.at(2) - _ZERO)
    inside = tenths.min() >= rule.low and tenths.max() <= rule.high
    return len(tenths) if inside and not ((tenths - rule.low) % rule.step).any() else None


def _share(rule: Share, values: _Values) -> int | None:
    first, pointed, widths = values.at(0), values.at(1) == _POINT, values.widths
    below_one = (first == _ZERO) & pointed & (widths > 2)
    one = (first == _ONE) & pointed & (widths == 3) & (values.at(2) == _ZERO)
    whole = (widths == 1) & ((first == _ZERO) | (first == _ONE))
    known = values.within(1, 2 + rule.decimals) and (below_one | one | whole).all()
    return int(np.count_nonzero(below_one | one)) if known else None
