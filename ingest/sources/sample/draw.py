"""Randomness by counter: any draw can be repeated alone, and gives the same bits on every platform.

Integers only. NumPy's own generators promise no stable distributions across versions, and the last bit of a float
may differ between processors; neither may ever decide a byte of the sample.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Points = Sequence[tuple[int, int]]
T = TypeVar("T")

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
_LAST, _HALF, _LOW = np.uint64(31), np.uint64(32), np.uint64(0xFFFFFFFF)


class Hand:
    """Picks one after another from the luck of a single draw."""

    def __init__(self, luck: int) -> None:
        self._luck = luck

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices, and another each time."""
        self._luck, number = divmod(self._luck, len(choices))
        return choices[number]


class Dice:
    """All streams of one `seed` (any integer); a stream is a name, and each of its counters has one draw."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def bits(self, stream: str, counters: Ints) -> NDArray[np.uint64]:
        """64 bits for each counter (splitmix64 at that counter)."""
        digest = hashlib.sha256(f"{self._seed}/{stream}".encode()).digest()
        key = np.uint64(int.from_bytes(digest[:8], "little"))
        z = np.atleast_1d(counters).astype(np.uint64) * _STEP + key
        for shift, factor in _MIX:
            z = (z ^ (z >> shift)) * factor
        return z ^ (z >> _LAST)

    def pair(self, stream: str, counters: Ints) -> tuple[Ints, Ints]:
        """Two independent 32-bit numbers for each counter."""
        bits = self.bits(stream, counters)
        return (bits >> _HALF).astype(np.int64), (bits & _LOW).astype(np.int64)

    def below(self, stream: str, counters: Ints, limit: Ints | int) -> Ints:
        """A number in [0, limit) for each counter."""
        return below(self.pair(stream, counters)[0], limit)

    def bell(self, stream: str, counters: Ints, width: int) -> Ints:
        """A number around 0 for each counter, at most twice the `width` away."""
        first, second = self.pair(stream, counters)
        four = (first & 0xFFFF) + (first >> 16) + (second & 0xFFFF) + (second >> 16)
        result: Ints = (four * width >> 16) - 2 * width
        return result

    def hands(self, stream: str, counters: Ints) -> list[Hand]:
        """A hand for each counter."""
        return [Hand(luck) for luck in self.bits(stream, counters).tolist()]


def below(bits32: Ints, limit: Ints | int) -> Ints:
    """32-bit numbers brought into [0, limit); `limit` is below 2^31."""
    return (bits32 * limit) >> 32


def along(points: Points, x: Ints | int) -> Ints:
    """The broken line through `points` at `x`; beyond its ends the last piece goes on."""
    xs, ys = np.array(points, dtype=np.int64).T
    piece = np.clip(np.searchsorted(xs, x, side="right") - 1, 0, len(points) - 2)
    result: Ints = ys[piece] + (x - xs[piece]) * (ys[piece + 1] - ys[piece]) // (xs[piece + 1] - xs[piece])
    return result


def weighted(weights: Ints, bits32: Ints) -> Ints:
    """An index for each draw, as likely as its weight; the weights sum to less than 2^31."""
    cumulative = np.cumsum(weights)
    return np.searchsorted(cumulative, below(bits32, int(cumulative[-1])), side="right").astype(np.int64)


def exact_shares(wish: Ints, least: int, most: Ints, total: int) -> Ints:
    """Counts that sum to `total` exactly, in proportion to `wish` but each from `least` to its `most`.

    Raises ZeroDivisionError where that is more than all `most` together.
    """
    spread = wish - least
    counts = np.minimum(least + spread * (total - least * len(wish)) // max(1, int(spread.sum())), most)
    while left := total - int(counts.sum()):
        room = np.flatnonzero(counts < most)[:left]
        counts[room] += np.minimum(most[room] - counts[room], left // len(room))
    return counts
