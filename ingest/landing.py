"""Lands a source as one immutable batch: parts first, the manifest last, under the data set's landing lock.

The order of batches is the order of their ids. What a killed landing leaves behind has no manifest, is seen by no
reader, and is removed by the next landing, which then writes the same bytes under the same keys.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from ingest import releases
from ingest.batch import DatasetName, Manifest, Mode, Source, next_batch_id
from ingest.batches import committed, datasets, latest
from ingest.errors import BatchError, SourceError
from ingest.landing_lock import landing_lock
from ingest.parts import cut
from ingest.sample_cache import cached_sample
from ingest.schema import TABLES
from ingest.settings import Settings
from ingest.source import open_source
from ingest.store import Store
from ingest.upload import manifest_of, upload
from ingest.work_folder import work_folder

__all__ = ["Landed", "committed", "datasets", "land", "land_dataset", "latest"]


@dataclass(frozen=True)
class Landed:
    """What a landing did: the batch that is current now, and whether it was there already.

    `uploaded_bytes` counts parts and manifest; `seconds` is the time of each step.
    """

    manifest: Manifest
    unchanged: bool
    uploaded_bytes: int = 0
    warnings: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)

    def summary(self) -> str:
        """One line for a person."""
        batch = f"{self.manifest.dataset}: batch {self.manifest.batch_id} as of {self.manifest.as_of:%Y-%m-%d %H:%M} UTC"
        if self.unchanged:
            return f"{batch} already holds this content: 0 bytes uploaded."
        tables = self.manifest.tables.values()
        rejected = sum(table.rows_rejected for table in tables)
        rows = sum(table.rows_read for table in tables) - rejected
        return (
            f"{batch} landed: {len(tables)} tables, {rows:,} rows, {rejected:,} rejected, "
            f"{self.uploaded_bytes:,} bytes uploaded in {sum(self.seconds.values()):.1f} s."
        )


def land_dataset(
    store: Store,
    settings: Settings,
    dataset: str,
    *,
    source: Path | None = None,
    mode: Mode = "full",
    as_of: datetime | None = None,
    day: int = 1,
    ratings: int = 100_000,
    max_rejected: float = 0.001,
    console: Console | None = None,
) -> Landed:
    """Lands a data set by name: a release (downloaded unless it is cached), the generated `sample`, or a local `source`.

    Parameters: as in `land`; `day` and `ratings` are those of the sample, whose days know their own modes and dates.
    """
    try:
        TypeAdapter(DatasetName).validate_python(dataset)
    except ValidationError:
        raise SourceError(f"{dataset!r} is no name for a data set: use lower case, digits and dashes.") from None
    modes: Mode | Mapping[str, Mode] = mode
    if dataset == "sample" and source is None:
        source, generated = cached_sample(settings.downloads, ratings=ratings, day=day)
        modes, as_of = generated.modes, as_of or generated.as_of
    path = releases.resolve(dataset, settings, source)
    return land(
        store,
        dataset,
        path,
        settings=settings,
        mode=modes,
        as_of=as_of,
        max_rejected=max_rejected,
        console=console,
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
    progress bar. Raises an `IngestError` when source, batch or store are at fault, and then nothing is visible.
    """
    with open_source(source) as opened, landing_lock(store, dataset) as lock:
        modes: dict[str, Mode] = {t: mode if isinstance(mode, str) else mode.get(t, "full") for t in opened.tables}
        last = latest(store, dataset)
        _check_tables(dataset, source, modes, first=last is None)
        if last and opened.sha256 and opened.sha256 == last.source.sha256 and modes == _modes(last):
            return Landed(last, unchanged=True)
        with work_folder(settings.data_dir / "landing", dataset) as work, _progress(console) as progress:
            started, cutting = time.monotonic(), progress.add_task("checking", total=opened.total_bytes)
            batch = cut(
                opened, work, max_rejected=max_rejected, on_bytes=lambda count: progress.advance(cutting, count)
            )
            seconds = {"cut": time.monotonic() - started}
            warnings = tuple(warning for table in batch.tables.values() for warning in table.warnings)
            manifest = manifest_of(
                batch,
                dataset,
                next_batch_id(last.batch_id if last else None),
                as_of=as_of or opened.as_of,
                source=Source(name=opened.name, sha256=opened.sha256),
                modes=modes,
            )
            if last and manifest.same_content(last):
                return Landed(last, unchanged=True, warnings=warnings, seconds=seconds)
            _check_order(store, manifest)
            total = sum(part.bytes for table in manifest.tables.values() for part in table.parts)
            sending = progress.add_task("uploading", total=total)
            uploaded = upload(store, lock, manifest, batch, lambda count: progress.advance(sending, count))
            seconds["upload"] = time.monotonic() - started - seconds["cut"]
            return Landed(manifest, False, uploaded, warnings, seconds)


def _check_tables(dataset: str, source: Path, modes: Mapping[str, Mode], *, first: bool) -> None:
    if not modes:
        raise BatchError(f"{source} holds none of {', '.join(table.file for table in TABLES.values())}.")
    missing = [table.file for table in TABLES.values() if table.required and table.name not in modes]
    if first and missing:
        raise BatchError(f"{source} has no {' and no '.join(missing)}: the first batch of {dataset} needs it.")


def _check_order(store: Store, manifest: Manifest) -> None:
    full = [TABLES[name].file for name, mode in _modes(manifest).items() if mode == "full"]
    newest = max(committed(store, manifest.dataset), key=lambda earlier: earlier.as_of, default=None) if full else None
    if newest and manifest.as_of <= newest.as_of:
        raise BatchError(
            f"{manifest.dataset}: this batch is as of {manifest.as_of.isoformat()}, but batch {newest.batch_id} is as of "
            f"{newest.as_of.isoformat()} already, and a full table ({', '.join(full)}) must be later. Give a later date "
            f"with --as-of, or land changed rows with --mode delta."
        )


def _modes(manifest: Manifest) -> dict[str, Mode]:
    return {name: table.mode for name, table in manifest.tables.items()}


def _progress(console: Console | None) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), DownloadColumn(), TimeRemainingColumn())
    console = console or Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
