"""One landing at a time for each data set, and one run on Snowflake: leases that are kept as objects in the store."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.errors import BatchError, StoreError
from ingest.store.bucket import Store, Taken

LEASE_SECONDS = 60.0
REFRESH_SECONDS = 15.0


class Lock:
    """A held lock; `check` before anything that only the holder may do. `job`: what it is held for, in a word."""

    def __init__(self, store: Store, key: str, job: str, body: bytes) -> None:
        self._store, self._key, self._job, self._body = store, key, job, body
        self._etag = _take(store, key, job, body)

    def _held(self) -> bool:
        return self._store.get(self._key) == self._body

    def check(self) -> None:
        """Raises `BatchError` when another job has taken over, as it may after a pause longer than the lease."""
        if not self._held():
            raise BatchError(
                f"{self._store.address(self._key)}: another {self._job} has taken over. Run this one again."
            )

    def keep(self, done: threading.Event) -> None:
        """Refreshes the lock until it is `done`, and then gives it back."""
        while not done.wait(REFRESH_SECONDS):
            # What was taken over stays so, and a store that is down may be back before the lease ends.
            with contextlib.suppress(StoreError):
                self._etag = self._store.put(self._key, self._body, replaces=self._etag)
        with contextlib.suppress(StoreError):  # the job's own error counts; the lock ends with this process
            if self._held():
                self._store.delete(self._key)


def landing_lock(store: Store, dataset: str) -> AbstractContextManager[Lock]:
    """Holds the landing lock of a data set; raises `BatchError` at once when another landing holds it."""
    return locked(store, f"{dataset}/landing.lock", "landing")


@contextmanager
def locked(store: Store, key: str, job: str) -> Iterator[Lock]:
    """Holds a lock for a job; raises `BatchError` at once when another one holds it.

    A lock is taken over when its holder is a process of this machine that has ended, or was not refreshed for 60 s.
    """
    since = datetime.now(UTC).isoformat(timespec="seconds")
    holder = {"host": socket.gethostname(), "counted_in": _counted_in(), "pid": os.getpid()}
    holder |= {"since": since, "token": secrets.token_hex(8)}
    lock = Lock(store, key, job, json.dumps(holder, sort_keys=True).encode())
    done = threading.Event()
    keeper = threading.Thread(target=lock.keep, args=(done,), name="lock", daemon=True)
    keeper.start()
    try:
        yield lock
    finally:
        done.set()
        keeper.join()


def _take(store: Store, key: str, job: str, body: bytes) -> str:
    for _ in range(3):
        try:
            return store.put(key, body)
        except Taken:
            held, content = store.head(key), store.get(key)
        if held is None or content is None:
            continue  # released meanwhile
        holder = _holder(content)
        if held.age <= LEASE_SECONDS and not _ended(holder):
            raise BatchError(
                f"{store.address(key)}: another {job} is running (process {holder.get('pid')} on "
                f"{holder.get('host')}, since {holder.get('since')}). Wait until it has ended; should it have died, "
                f"its lock ends by itself within {LEASE_SECONDS:.0f} s."
            )
        try:
            return store.put(key, body, replaces=held.etag)
        except Taken:
            continue
    raise BatchError(f"{store.address(key)}: another {job} has just begun. Wait for it, then run this one again.")


def _ended(holder: dict[str, Any]) -> bool:
    """Whether the holder is a process of this machine that is no more; of any other, only the lease is known."""
    import psutil  # seldom needed

    pid = holder.get("pid")
    same = (holder.get("host"), holder.get("counted_in")) == (socket.gethostname(), _counted_in())
    return same and isinstance(pid, int) and not psutil.pid_exists(pid)


def _counted_in() -> str:
    """What process ids are counted in, where a system says: machines and containers may share a host's name."""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    return ""


def _holder(content: bytes) -> dict[str, Any]:
    """What a lock says of who holds it; nothing where a power cut or another program left something else."""
    with contextlib.suppress(ValueError):
        holder = json.loads(content)
        return holder if isinstance(holder, dict) else {}
    return {}
