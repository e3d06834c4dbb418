"""Cuts a data set by event time into a first load and micro-batches, as folders that can be landed one by one."""

from __future__ import annotations

import csv
import mmap
import shutil
from array import array
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedReader, RawIOBase
from itertools import islice
from pathlib import Path
from typing import Any, cast

import numpy as np

from ingest.errors import SourceError
from ingest.schema import TABLES, Mode
from ingest.sources.archive import OpenSource

# The share of the events that the first load holds; the rest is dealt evenly to the micro-batches.
FIRST_LOAD = 0.9
_LATEST = int(datetime.max.replace(tzinfo=UTC).timestamp())


@dataclass(frozen=True)
class Slice:
    """A folder to land; `as_of` is the time of its newest event, or now; `number` 0 is the first load."""

    number: int
    folder: Path
    as_of: datetime
    mode: Mode
    rows: int


@dataclass(frozen=True)
class _Events:
    """The lines of a file: where each starts, and the end of the last one; and the time of each."""

    path: Path
    starts: Any
    times: Any

    def write(self, folder: Path, rows: Any) -> None:
        """Writes some of the lines below the header."""
        with (
            self.path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as lines,
            (folder / self.path.name).open("wb") as out,
        ):
            out.write(lines[: self.starts[0]].rstrip(b"\r\n") + b"\n")
            for some in np.array_split(rows, len(rows) // 100_000 + 1):
                for start, end in zip(self.starts[some].tolist(), self.starts[some + 1].tolist(), strict=True):
                    out.write(lines[start:end].rstrip(b"\r\n") + b"\n")


def slices(source: OpenSource, work: Path, batches: int) -> Iterator[Slice]:
    """The first load (all tables, `full`) and then `batches` micro-batches of the tables with an event time (`delta`).

    Events are ordered by time, then by their line; a line without a time goes first, and landing rejects it.
    Folders are written under `work`, one at a time. Raises `SourceError` when there are fewer events than batches, and
    when a table that a first batch needs has none in the first load.
    """
    work.mkdir(parents=True, exist_ok=True)
    for name in source.tables:
        _write_csv(source, name, work / TABLES[name].file)
    timed = [TABLES[name] for name in source.tables if TABLES[name].event_time]
    if odd := [table for table in timed if table.columns[-1].name != table.event_time]:
        raise SourceError(
            f"{odd[0].file} has its event time in another column than the last: it cannot be cut by time."
        )
    events = [_events(work / table.file) for table in timed]
    times = np.concatenate([np.empty(0, np.int64), *(each.times for each in events)])
    order, bounds = np.argsort(times, kind="stable"), np.cumsum([0, *(len(each.times) for each in events)])
    first = int(len(order) * FIRST_LOAD)
    if len(order) - first < batches:
        raise SourceError(
            f"{source.name} has {len(order):,} events: too few for {batches} micro-batches after a first load."
        )
    for number in range(batches + 1):
        after = first + (len(order) - first) * (number - 1) // batches if number else 0
        chosen = np.sort(order[after : first + (len(order) - first) * number // batches])
        folder = work / f"{number:05d}"
        folder.mkdir()
        for name in source.tables if number == 0 else ():
            if not TABLES[name].event_time:
                (work / TABLES[name].file).rename(folder / TABLES[name].file)
        for table, file, low, high in zip(timed, events, bounds[:-1], bounds[1:], strict=True):
            rows = chosen[(chosen >= low) & (chosen < high)] - low
            if len(rows):
                file.write(folder, rows)
            elif number == 0 and table.required:
                raise SourceError(f"{source.name}: none of its first {first:,} events is in {table.file}.")
        # A clock that ran ahead must not put the batches of all others into the future.
        newest = min(datetime.fromtimestamp(max(int(times[chosen].max()), 0), UTC), datetime.now(UTC))
        yield Slice(number, folder, newest, "delta" if number else "full", len(chosen))
        shutil.rmtree(folder)


def _write_csv(source: OpenSource, table: str, path: Path) -> None:
    """Writes a table's file as the CSV of the contract, whatever form it has."""
    form = source.form(table)
    with source.open(table) as stream, path.open("wb") as plain:
        if not form.name:
            shutil.copyfileobj(stream, plain, 1 << 20)
            return
        plain.write(f"{TABLES[table].header}\n".encode())
        for line in islice(BufferedReader(cast(RawIOBase, stream), 1 << 20), int(form.header), None):
            with suppress(ValueError, csv.Error):  # a line that cannot be converted is rejected when it is landed
                line = form.convert(line.removeprefix(BOM_UTF8).rstrip(b"\r\n").decode(form.encoding)).encode() + b"\n"
            plain.write(line)


def _events(path: Path) -> _Events:
    starts, times = array("q"), array("q")
    with path.open("rb") as file:
        starts.append(len(file.readline()))
        for line in file:
            starts.append(starts[-1] + len(line))
            value = line.rpartition(b",")[2].strip(b'"\r\n')
            times.append(int(value) if value.isdigit() and len(value) < 13 and int(value) <= _LATEST else -1)
    return _Events(path, np.array(starts), np.array(times, np.int64))
