"""Uploads a cut batch; the manifest goes last, and is the commit."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ingest.batches.lock import Lock
from ingest.errors import BatchError
from ingest.manifest import Manifest, Part
from ingest.store.bucket import Store, Taken

_THREADS = 4


def upload(store: Store, lock: Lock, manifest: Manifest, work: Path, on_bytes: Callable[[int], None]) -> int:
    """Uploads a batch, whose parts lie below `work` under their keys, then commits it; returns the bytes written.

    What an earlier, unfinished landing left under the batch's prefix is removed first. `on_bytes` gets the bytes
    sent since it was last called. Raises `BatchError` when another landing came first.
    """
    for leftover in store.list(f"{manifest.dataset}/{manifest.batch_id}/"):
        lock.check()
        store.delete(leftover.key)

    def put(part: Part) -> None:
        lock.check()
        store.put_file(part.key, work / part.key, part.sha256, on_bytes)

    body = json.dumps(manifest.model_dump(mode="json"), sort_keys=True, indent=1).encode() + b"\n"
    try:
        with ThreadPoolExecutor(_THREADS) as threads:
            for _ in threads.map(put, manifest.parts):  # what one raises cancels those that have not begun
                pass
        lock.check()
        store.put(manifest.key, body)
    except Taken as error:
        raise BatchError(f"{error} Another landing of {manifest.dataset} came first: run this one again.") from None
    return sum(part.bytes for part in manifest.parts) + len(body)
