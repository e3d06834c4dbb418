"""Working ahead: one thread prepares what comes next while another uses what it has.

Reading, compressing, hashing and numpy let other threads run meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def ahead(items: Generator[T, None, None], by: int = 2) -> Iterator[Iterator[T]]:
    """The same items in the same order, `by` of them prepared in advance by a thread of their own.

    What `items` raises is raised where the item would be taken. `items` is closed with the context.
    """
    end = object()
    with closing(items), ThreadPoolExecutor(max_workers=1) as thread:
        waiting = deque(thread.submit(next, items, end) for _ in range(by))

        def taken() -> Iterator[T]:
            while (item := waiting.popleft().result()) is not end:
                waiting.append(thread.submit(next, items, end))
                yield item  # type: ignore[misc]  # it is not `end`

        yield taken()
