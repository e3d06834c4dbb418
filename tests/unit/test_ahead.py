"""Working ahead: the same items, in order, from a thread that goes no further than it should."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from ingest.lines.reader import ahead


def test_items_come_in_order_and_from_another_thread() -> None:
    threads = set()

    def items() -> Iterator[int]:
        for number in range(100):
            threads.add(threading.current_thread())
            yield number

    with ahead(items()) as numbers:
        assert list(numbers) == list(range(100))
    assert threading.current_thread() not in threads
    assert len(threads) == 1


def test_a_fault_is_raised_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("the second one")

    with ahead(items()) as numbers:
        assert next(numbers) == 1
        with pytest.raises(ValueError, match="the second one"):
            next(numbers)


def test_a_user_that_stops_early_leaves_nothing_open_and_has_little_prepared_in_vain() -> None:
    made, closed = [], threading.Event()

    def items() -> Iterator[int]:
        try:
            for number in range(100):
                made.append(number)
                yield number
        finally:
            closed.set()

    with ahead(items(), by=3) as numbers:
        assert next(numbers) == 0
        assert not closed.is_set()
    assert closed.is_set()
    assert len(made) <= 4
