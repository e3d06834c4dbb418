"""Turns a cut source into a manifest and objects; the manifest goes last, and is the commit."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime
from typing import TYPE_CHECKING

from ingest.batches.lock import LandingLock
from ingest.batches.manifest import BatchTable, Manifest, Part, Source, part_key, schema_of
from ingest.errors import BatchError
from ingest.schema import TABLES, Mode
from ingest.store.bucket import Store, Taken

if TYPE_CHECKING:  # numpy takes a tenth of a second to import, and who only asks what is landed does not need it
    from ingest.lines.part_files import LocalPart
    from ingest.lines.parts import CutBatch

_THREADS = 4


def manifest_of(
    batch: CutBatch, dataset: str, batch_id: str, *, as_of: datetime, source: Source, modes: Mapping[str, Mode]
) -> Manifest:
    """The manifest of a cut source as the batch `batch_id`; the same cut always gives the same manifest."""

    def parts(table: str, local: tuple[LocalPart, ...]) -> tuple[Part, ...]:
        return tuple(
            Part(
                key=part_key(dataset, batch_id, table, number),
                rows=part.rows,
                first_line=part.first_line,
                bytes=part.bytes,
                sha256=part.sha256,
            )
            for number, part in enumerate(local)
        )

    tables = {
        name: BatchTable(
            **schema_of(TABLES[name]),
            mode=modes[name],
            source_file=table.file,
            form=table.form,
            source_sha256=table.source_sha256,
            rows_read=table.rows_read,
            rows_rejected=table.rows_rejected,
            parts=parts(name, table.parts),
        )
        for name, table in batch.tables.items()
    }
    rejected = parts("rejected", batch.rejected)
    manifest = Manifest(
        dataset=dataset, batch_id=batch_id, as_of=as_of, source=source, tables=tables, rejected=rejected
    )
    return manifest.sealed()


def upload(
    store: Store, lock: LandingLock, manifest: Manifest, batch: CutBatch, on_bytes: Callable[[int], None]
) -> int:
    """Uploads the parts of a batch, then commits it; returns the bytes written.

    What an earlier, unfinished landing left under the batch's prefix is removed first. `on_bytes` gets the bytes
    sent since it was last called. Raises `BatchError` when another landing came first.
    """
    for leftover in store.list(f"{manifest.dataset}/{manifest.batch_id}/"):
        lock.check()
        store.delete(leftover.key)
    local = [*(part for table in batch.tables.values() for part in table.parts), *batch.rejected]

    def put(part: Part, file: LocalPart) -> None:
        lock.check()
        store.put_file(part.key, file.path, part.sha256, on_bytes)

    body = json.dumps(manifest.model_dump(mode="json"), sort_keys=True, indent=1).encode() + b"\n"
    try:
        with ThreadPoolExecutor(_THREADS) as threads:
            uploads = [threads.submit(put, part, file) for part, file in zip(manifest.parts, local, strict=True)]
            try:
                for done in as_completed(uploads):
                    done.result()
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                raise
        lock.check()
        store.put(manifest.key, body)
    except Taken as error:
        raise BatchError(f"{error} Another landing of {manifest.dataset} came first: run this one again.") from None
    return sum(part.bytes for part in manifest.parts) + len(body)
