"""Lands a source as one immutable batch: parts first, the manifest last, under the data set's landing lock.

The order of batches is the order of their ids. What a killed landing leaves behind has no manifest, is seen by no
reader, and is removed by the next landing, which then writes the same bytes under the same keys.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import DownloadColumn, Progress

from ingest.batches.committed import committed, latest, next_id
from ingest.batches.lock import landing_lock
from ingest.batches.upload import upload
from ingest.batches.work_folder import work_folder
from ingest.errors import BatchError, SourceError
from ingest.manifest import Manifest, Source
from ingest.schema import TABLES, Mode
from ingest.settings import Settings
from ingest.sources import releases
from ingest.sources.archive import OpenSource, open_source
from ingest.sources.sample import day as days
from ingest.sources.sample.cache import cached_sample
from ingest.store.bucket import Store

# Clocks and time zones differ by less.
AHEAD = timedelta(days=1)
# The sample's, where its size is not given.
RATINGS = 100_000


@dataclass(frozen=True)
class Landed:
    """What a landing did.

    `manifest`, of the batch that holds the content, landed now or before; `current`, whether no batch follows it;
    `uploaded_bytes`, of parts and manifest; `seconds`, how long cutting and uploading took.
    """

    manifest: Manifest
    current: bool = True
    uploaded_bytes: int = 0
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def unchanged(self) -> bool:
        """Whether the content was there before."""
        return self.uploaded_bytes == 0

    def summary(self) -> str:
        """One line for a person."""
        batch, as_of = self.manifest.batch_id, f"{self.manifest.as_of:%Y-%m-%d %H:%M} UTC"
        batch = f"{self.manifest.dataset}: batch {batch} as of {as_of}"
        if self.unchanged:
            newer = "" if self.current else ", and newer batches follow it"
            return f"{batch} already holds this content{newer}: 0 bytes uploaded."
        tables = self.manifest.tables.values()
        rejected = sum(table.rows_rejected for table in tables)
        rows = sum(table.rows_loaded for table in tables)
        return (
            f"{batch} landed: {len(tables)} tables, {rows:,} rows, {rejected:,} rejected, "
            f"{self.uploaded_bytes:,} bytes uploaded in {self.seconds:.1f} s."
        )


@dataclass(frozen=True)
class Landing:
    """What to land, and how.

    `source`: a local zip or folder; None means the release of that name (downloaded unless cached) or the generated
    `sample`, whose days know their own modes and dates: `day` and `ratings` are the sample's. `mode`, for all tables or
    for each by name (`full` where it names none). `as_of`, UTC, by default the newest file date of the source;
    `allow_future`, whether it may lie ahead of this machine's clock. `max_rejected`, the share of a file's lines that
    may be rejected. `follow_links`, whether links may lead out of a source folder. `digests`, of tables that were read.
    Raises SourceError for what cannot name a data set.
    """

    dataset: str = "sample"
    source: Path | None = None
    mode: Mode | Mapping[str, Mode] = "full"
    as_of: datetime | None = None
    allow_future: bool = False
    max_rejected: float = 0.001
    follow_links: bool = False
    day: int = 1
    ratings: int | None = None
    digests: dict[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        releases.check_name(self.dataset)
        if not self.generated and (self.day, self.ratings) != (Landing.day, Landing.ratings):
            raise SourceError("--day and --ratings are the generated sample's: leave them out")

    @property
    def generated(self) -> bool:
        """Whether it is the generated sample."""
        return self.dataset == "sample" and self.source is None

    @property
    def given(self) -> dict[str, object]:
        """What differs from a landing of the data set without options, by the names of the options."""
        usual = Landing(self.dataset)
        return {
            each.name.replace("_", "-"): value
            for each in fields(self)
            if (value := getattr(self, each.name)) != getattr(usual, each.name)
        }

    def check(self) -> None:
        """Raises SourceError for a source that cannot be read, or a name that no release has; downloads nothing."""
        if self.source:
            with open_source(self.source, self.follow_links):
                pass
        elif not self.generated:
            releases.known(self.dataset)

    def read(self) -> None:
        """Reads a folder for the digests of its tables, by which `land` knows content that it holds already."""
        if self.source and self.source.is_dir():
            with open_source(self.source, self.follow_links) as source, ThreadPoolExecutor() as threads:
                self.digests.update(
                    zip(source.tables, threads.map(partial(_digest, source), source.tables), strict=True)
                )

    def located(self, settings: Settings) -> tuple[Path, Mode | Mapping[str, Mode], datetime | None]:
        """The source on this machine, downloaded or generated if need be; its modes and date where they are known."""
        if not self.generated:
            return self.source or releases.resolve(self.dataset, settings), self.mode, self.as_of
        folder = cached_sample(settings.downloads, ratings=self.ratings or RATINGS, day=self.day)
        return folder, days.modes(self.day), self.as_of or days.as_of(self.day)


def land(landing: Landing, store: Store, settings: Settings, console: Console | None = None) -> Landed:
    """Lands a data set as its next batch; lands nothing when it is the current batch already.

    Nor does it when an earlier batch holds the same content as of the same date. `console` is for a progress bar.
    Raises an `IngestError` when source, batch or store are at fault, and then nothing is visible.
    """
    dataset, (source, mode, as_of) = landing.dataset, landing.located(settings)
    with (
        open_source(source, landing.follow_links) as opened,
        landing_lock(store, dataset) as lock,
        work_folder(settings.data_dir / "landing", dataset) as work,
        _progress(console) as progress,
    ):
        modes: dict[str, Mode] = {t: mode if isinstance(mode, str) else mode.get(t, "full") for t in opened.tables}
        earlier = _earlier(store, dataset, modes)
        if not earlier:
            _check_first(dataset, source, modes)
        as_of = as_of or opened.as_of
        if batch := _holding(opened, earlier, modes, as_of, landing.digests):
            return Landed(batch, batch is earlier[-1], warnings=opened.warnings)
        _check_future(dataset, as_of, landing.allow_future)
        _check_order(dataset, earlier, as_of, modes)
        # numpy takes a tenth of a second to import, and many runs have nothing to cut
        from ingest.lines.parts import cut

        started, cutting = time.monotonic(), progress.add_task("checking", total=opened.total_bytes)
        batch_id = next_id(store, dataset)
        pieces = cut(
            opened,
            work,
            f"{dataset}/{batch_id}",
            modes,
            max_rejected=landing.max_rejected,
            on_bytes=lambda count: progress.advance(cutting, count),
            report_dir=settings.data_dir / "rejected" / dataset,
        )
        opened.check_unchanged()
        manifest = Manifest(
            dataset=dataset,
            batch_id=batch_id,
            as_of=as_of,
            source=Source(name=opened.name, sha256=opened.sha256),
            tables=pieces.tables,
            rejected=pieces.rejected,
        ).sealed()
        sending = progress.add_task("uploading", total=sum(part.bytes for part in manifest.parts))
        uploaded = upload(store, lock, manifest, pieces.work, lambda count: progress.advance(sending, count))
        warnings = (*opened.warnings, *pieces.warnings, *_of_other_users(earlier, modes))
        return Landed(manifest, True, uploaded, warnings, time.monotonic() - started)


def check_lines(source: OpenSource, landing: Landing, settings: Settings) -> str:
    """A digest of the source's lines; raises what a landing of them all would raise, and lands nothing."""
    from ingest.lines.parts import cut

    modes: dict[str, Mode] = dict.fromkeys(source.tables, "full")
    report_dir = settings.data_dir / "rejected" / landing.dataset
    with work_folder(settings.data_dir / "landing", landing.dataset) as work:
        folder, limit = f"{landing.dataset}/000000", landing.max_rejected
        tables = cut(source, work, folder, modes, max_rejected=limit, report_dir=report_dir).tables
    return hashlib.sha256("".join(tables[name].source_sha256 for name in sorted(tables)).encode()).hexdigest()


def _holding(
    source: OpenSource, earlier: list[Manifest], modes: Mapping[str, Mode], as_of: datetime, digests: Mapping[str, str]
) -> Manifest | None:
    """The batch that holds the same archive, or the same lines, already: it need not be cut again.

    The current one, or an earlier one with its own date and a full table, which could not be landed again in any case.
    """
    older = [batch for batch in earlier[:-1] if batch.as_of == as_of] if "full" in modes.values() else []
    batches = [
        batch
        for batch in (*earlier[-1:], *older)
        if {name: table.mode for name, table in batch.tables.items()} == modes
    ]
    for batch in batches:
        if source.sha256 and batch.source.sha256 == source.sha256:
            return batch
    for name in source.tables:
        if batches:
            sha256 = digests.get(name) or _digest(source, name)
            batches = [batch for batch in batches if batch.tables[name].source_sha256 == sha256]
    return next(iter(batches), None)


def _digest(source: OpenSource, table: str) -> str:
    from ingest.lines.reader import Lines  # and numpy: see above

    with source.open(table) as stream:
        return Lines(stream, source.table(table), form=source.form(table)).digest()


def _earlier(store: Store, dataset: str, modes: Mapping[str, Mode]) -> list[Manifest]:
    if "full" in modes.values():
        return committed(store, dataset)
    return list(filter(None, [latest(store, dataset)]))  # the order of a delta depends on no other batch


def _check_first(dataset: str, source: Path, modes: Mapping[str, Mode]) -> None:
    required = [table for table in TABLES.values() if table.required]
    if missing := [table.file for table in required if table.name not in modes]:
        raise BatchError(f"{source} has no {' and no '.join(missing)}: the first batch of {dataset} needs it.")
    if changes := [table.file for table in required if modes[table.name] != "full"]:
        raise BatchError(
            f"{dataset}: the first batch needs all of {' and '.join(changes)}, not what changed: leave out --mode delta."
        )


def _check_future(dataset: str, as_of: datetime, allowed: bool) -> None:
    now = datetime.now(UTC)
    if not allowed and as_of > now + AHEAD:
        raise BatchError(
            f"{dataset}: this batch is as of {as_of.isoformat()}, and today is {now:%Y-%m-%d}. Give the right "
            f"date with --as-of, or allow a future one with --allow-future."
        )


def _check_order(dataset: str, earlier: list[Manifest], as_of: datetime, modes: Mapping[str, Mode]) -> None:
    full = [TABLES[name].file for name, mode in modes.items() if mode == "full"]
    newest = max(earlier, key=lambda batch: batch.as_of, default=None)
    if full and newest and as_of <= newest.as_of:
        raise BatchError(
            f"{dataset}: this batch is as of {as_of.isoformat()}, but batch {newest.batch_id} is as "
            f"of {newest.as_of.isoformat()} already, and a full table ({', '.join(full)}) must be later. Give a later "
            f"date with --as-of, or land changed rows with --mode delta."
        )


def _of_other_users(earlier: list[Manifest], modes: Mapping[str, Mode]) -> Iterator[str]:
    known = [batch.batch_id for batch in earlier if "users" in batch.tables]
    if known and modes.get("ratings") == "full" and "users" not in modes:
        yield (
            f"users.csv is not in this source: what batch {known[-1]} says of users stays, though a new release deals user "
            f"ids anew. Is it of others? Then take that batch back with --withdraw."
        )


def _progress(console: Console | None) -> Progress:
    columns = (*Progress.get_default_columns(), DownloadColumn())
    console = console or Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
