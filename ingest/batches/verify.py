"""Holds landed parts against their manifest before anybody loads them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from ingest.batches.manifest import Manifest, Part
from ingest.errors import BatchError
from ingest.store.bucket import Store

_THREADS = 4


def verify(store: Store, manifest: Manifest) -> None:
    """Checks that every part of a batch is there with the bytes and the sha256 that its manifest says.

    Raises `BatchError` naming the first part that is missing or was altered after its commit.
    """
    parts = [part for table in manifest.tables.values() for part in table.parts] + list(manifest.rejected)
    with ThreadPoolExecutor(_THREADS) as threads:
        for trouble in threads.map(lambda part: _trouble(store, part), parts):
            if trouble:
                raise BatchError(
                    f"{trouble}: nothing of batch {manifest.batch_id} is loaded. Parts never change after their "
                    f"commit: restore it from the source."
                )


def _trouble(store: Store, part: Part) -> str | None:
    found = store.digest(part.key)
    if found is None:
        return f"{store.place(part.key)} is missing"
    size, sha256 = found
    if size != part.bytes:
        return f"{store.place(part.key)} has {size:,} bytes, its manifest says {part.bytes:,}"
    if sha256 != part.sha256:
        return f"{store.place(part.key)} has other content than its manifest says (sha256 {sha256[:12]}…)"
    return None
