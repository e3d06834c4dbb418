"""Lands a source as one immutable batch: parts first, the manifest last, under the data set's landing lock.

The order of batches is the order of their ids. What a killed landing leaves behind has no manifest, is seen by no
reader, and is removed by the next landing, which then writes the same bytes under the same keys.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from ingest.batch import BatchTable, Manifest, Mode, Part, Source, next_batch_id, part_key
from ingest.batches import committed, datasets, latest
from ingest.errors import BatchError, IngestError, QuarantineError
from ingest.landing_lock import LandingLock, landing_lock
from ingest.parts import CutBatch, LocalPart, cut
from ingest.schema import TABLES
from ingest.settings import Settings
from ingest.source import OpenSource, open_source
from ingest.store import Store, Taken

__all__ = ["Landed", "committed", "datasets", "land", "latest"]
_THREADS = 4


@dataclass(frozen=True)
class Landed:
    """What a landing did: the batch that is now the current one, and whether it was there already.

    `uploaded_bytes` counts parts and manifest; `seconds` is the time of each step.
    """

    manifest: Manifest
    unchanged: bool
    uploaded_bytes: int = 0
    warnings: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)

    def summary(self) -> str:
        """One line for a person."""
        batch = f"{self.manifest.dataset}: batch {self.manifest.batch_id} (as of {self.manifest.as_of:%Y-%m-%d %H:%M} UTC)"
        if self.unchanged:
            return f"{batch} already holds this content; 0 bytes uploaded."
        rows = sum(table.rows_read - table.rows_rejected for table in self.manifest.tables.values())
        rejected = sum(table.rows_rejected for table in self.manifest.tables.values())
        return (
            f"{batch} landed: {len(self.manifest.tables)} tables, {rows:,} rows, {rejected:,} rejected; "
            f"{self.uploaded_bytes:,} bytes uploaded in {sum(self.seconds.values()):.1f} s."
        )


def land(
    store: Store,
    dataset: str,
    source: Path,
    *,
    settings: Settings,
    mode: Mode | Mapping[str, Mode] = "full",
    as_of: datetime | None = None,
    max_rejected: float = 0.001,
    console: Console | None = None,
) -> Landed:
    """Lands a local zip or folder as the next batch of a data set; lands nothing when it is the current batch already.

    Parameters: `mode`, for all tables or for each by name (`full` where it names none); `as_of`, UTC, by default the
    newest file date of the source; `max_rejected`, the share of a file's lines that may be rejected; `console`, for a
    progress bar. Raises an `IngestError` when the source, the batch or the store is at fault; nothing is visible then.
    """
    with open_source(source) as opened, landing_lock(store, dataset) as lock:
        modes: dict[str, Mode] = {t: mode if isinstance(mode, str) else mode.get(t, "full") for t in opened.tables}
        last = latest(store, dataset)
        _check_tables(dataset, source, modes, first=last is None)
        if last and opened.sha256 and opened.sha256 == last.source.sha256 and modes == _modes(last):
            return Landed(last, unchanged=True)
        with _progress(console) as progress, _work_folder(settings, dataset) as work:
            started = time.monotonic()
            batch = _cut(opened, work, settings, dataset, max_rejected, progress)
            cutting = time.monotonic() - started
            manifest = _manifest(dataset, last, opened, as_of or opened.as_of, modes, batch)
            warnings = tuple(warning for table in batch.tables.values() for warning in table.warnings)
            if last and manifest.same_content(last):
                return Landed(last, unchanged=True, warnings=warnings, seconds={"cut": cutting})
            _check_order(store, manifest)
            for leftover in store.list(f"{dataset}/{manifest.batch_id}/"):
                store.delete(leftover.key)
            uploaded = _upload(store, lock, manifest, batch, progress)
            seconds = {"cut": cutting, "upload": time.monotonic() - started - cutting}
            return Landed(manifest, unchanged=False, uploaded_bytes=uploaded, warnings=warnings, seconds=seconds)


def _check_tables(dataset: str, source: Path, modes: Mapping[str, Mode], *, first: bool) -> None:
    if not modes:
        raise BatchError(f"{source} holds none of {', '.join(table.file for table in TABLES.values())}.")
    missing = [table.file for table in TABLES.values() if table.required and table.name not in modes]
    if first and missing:
        raise BatchError(f"{source} has no {' and no '.join(missing)}, which the first batch of {dataset} needs.")


def _check_order(store: Store, manifest: Manifest) -> None:
    full = [TABLES[name].file for name, mode in _modes(manifest).items() if mode == "full"]
    newest = max(committed(store, manifest.dataset), key=lambda earlier: earlier.as_of, default=None) if full else None
    if newest and manifest.as_of <= newest.as_of:
        raise BatchError(
            f"{manifest.dataset}: this batch is as of {manifest.as_of.isoformat()}, but batch {newest.batch_id} is as of "
            f"{newest.as_of.isoformat()} already, and a full table ({', '.join(full)}) must be later. Give a later date "
            f"with --as-of, or land changed rows with --mode delta."
        )


def _cut(
    opened: OpenSource, work: Path, settings: Settings, dataset: str, max_rejected: float, progress: Progress
) -> CutBatch:
    task = progress.add_task("checking", total=opened.total_bytes)
    try:
        return cut(opened, work, max_rejected=max_rejected, on_bytes=lambda count: progress.advance(task, count))
    except QuarantineError as error:
        raise _with_report(error, work, settings.data_dir / "rejected", dataset) from None
    except OSError as error:
        free = shutil.disk_usage(work).free // 2**20
        raise IngestError(f"{error.filename or work}: {error.strerror}; {free} MB are free there.") from None


def _manifest(
    dataset: str, last: Manifest | None, opened: OpenSource, as_of: datetime, modes: Mapping[str, Mode], batch: CutBatch
) -> Manifest:
    batch_id = next_batch_id(last.batch_id if last else None)

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
            mode=modes[name],
            columns=tuple(column.source for column in TABLES[name].columns),
            source_file=TABLES[name].file,
            source_sha256=table.source_sha256,
            rows_read=table.rows_read,
            rows_rejected=table.rows_rejected,
            parts=parts(name, table.parts),
        )
        for name, table in batch.tables.items()
    }
    return Manifest(
        dataset=dataset,
        batch_id=batch_id,
        as_of=as_of,
        source=Source(name=opened.name, sha256=opened.sha256),
        tables=tables,
        rejected=parts("rejected", batch.rejected),
    )


def _upload(store: Store, lock: LandingLock, manifest: Manifest, batch: CutBatch, progress: Progress) -> int:
    local = [part for table in batch.tables.values() for part in table.parts] + list(batch.rejected)
    parts = [part for table in manifest.tables.values() for part in table.parts] + list(manifest.rejected)
    task = progress.add_task("uploading", total=sum(part.bytes for part in parts))

    def put(part: Part, path: Path) -> None:
        lock.check()
        store.put_file(part.key, path, part.sha256, lambda count: progress.advance(task, count))

    body = json.dumps(manifest.model_dump(mode="json"), sort_keys=True, indent=1).encode() + b"\n"
    try:
        with ThreadPoolExecutor(_THREADS) as threads:
            uploads = [threads.submit(put, part, local.path) for part, local in zip(parts, local, strict=True)]
            try:
                for upload in as_completed(uploads):
                    upload.result()
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                raise
        lock.check()
        store.put(manifest.key, body)
    except Taken as error:
        raise BatchError(f"Another landing of {manifest.dataset} wrote this batch first. {error} Run it again.") from None
    return sum(part.bytes for part in parts) + len(body)


def _modes(manifest: Manifest) -> dict[str, Mode]:
    return {name: table.mode for name, table in manifest.tables.items()}


def _with_report(error: QuarantineError, work: Path, folder: Path, dataset: str) -> QuarantineError:
    return error


def _progress(console: Console | None) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), DownloadColumn(), TimeRemainingColumn())
    console = console or Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def _work_folder(settings: Settings, dataset: str) -> Iterator[Path]:
    landing = settings.data_dir.absolute() / "landing"
    landing.mkdir(parents=True, exist_ok=True)
    for stale in landing.glob("*/"):
        _remove_unless_used(stale)
    try:
        with FileLock(landing / f"{dataset}.lock", timeout=0):
            work = landing / dataset
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            yield work
            shutil.rmtree(work, ignore_errors=True)
    except Timeout:
        raise BatchError(f"{landing / dataset} is in use: another landing of {dataset} is running.") from None
