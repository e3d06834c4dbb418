"""Cuts a data set by event time into a first load and micro-batches, as folders that can be landed one by one."""

from __future__ import annotations

import csv
import shutil
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedReader, RawIOBase
from itertools import islice
from pathlib import Path
from typing import cast

import duckdb

from ingest.errors import SourceError
from ingest.schema import TABLES, Mode
from ingest.sources.archive import OpenSource

# The share of the events that the first load holds; the rest is dealt evenly to the micro-batches.
FIRST_LOAD = 0.9
_EVENTS = ("ratings", "tags")


@dataclass(frozen=True)
class Slice:
    """A folder to land; `as_of` is the time of its newest event, and `number` 0 is the first load."""

    number: int
    folder: Path
    as_of: datetime
    mode: Mode
    rows: int


def slices(source: OpenSource, work: Path, batches: int) -> Iterator[Slice]:
    """The first load (all tables, `full`) and then `batches` micro-batches of ratings and tags (`delta`).

    Events are ordered by time, then by their line; a line without a time goes first, and landing rejects it.
    Folders are written under `work`, one at a time. Raises `SourceError` when there are fewer events than batches.
    """
    work.mkdir(parents=True, exist_ok=True)
    for table in source.tables:
        _write_csv(source, table, work / TABLES[table].file)
    tables = [table for table in _EVENTS if table in source.tables]
    with duckdb.connect(str(work / "events.duckdb")) as events:
        total = _number_events(events, work, tables)
        first = int(total * FIRST_LOAD)
        if total - first < batches:
            raise SourceError(
                f"{source.name} has {total:,} events: too few for {batches} micro-batches after a first load."
            )
        for number in range(batches + 1):
            after = first + (total - first) * (number - 1) // batches if number else 0
            upto = first + (total - first) * number // batches
            folder = work / f"{number:05d}"
            folder.mkdir()
            if number == 0:
                for table in source.tables:
                    if table not in _EVENTS:
                        (work / TABLES[table].file).rename(folder / TABLES[table].file)
            newest, rows = 0, 0
            for table in tables:
                written, latest = _write(events, table, folder / TABLES[table].file, after, upto)
                newest, rows = max(newest, latest), rows + written
            yield Slice(number, folder, datetime.fromtimestamp(newest, UTC), "delta" if number else "full", rows)
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


def _number_events(events: duckdb.DuckDBPyConnection, work: Path, tables: list[str]) -> int:
    """Numbers the lines of all event tables from 1 in the order of their time; returns how many there are."""
    try:
        for table in tables:
            events.execute(
                f"create table lines_{table} as select line, row_number() over () as row, "
                "try_cast(regexp_extract(rtrim(line, chr(13)), ',\"?([0-9]+)\"?$', 1) as bigint) as event_time "
                f"from read_csv(?, columns={{'line': 'varchar'}}, delim='\x01\x02\x03\x04', quote='', escape='', header=true, "
                "auto_detect=false, strict_mode=false)",
                [str(work / TABLES[table].file)],
            )
    except duckdb.Error as error:
        raise SourceError(f"{TABLES[table].file} cannot be cut by time: {str(error).splitlines()[0]}") from None
    listed = " union all ".join(f"select '{table}' as name, row, event_time from lines_{table}" for table in tables)
    events.execute(
        f"create table numbered as "
        f"select *, row_number() over (order by event_time nulls first, name, row) as number from ({listed})"
    )
    return int(events.execute("select count(*) from numbered").fetchall()[0][0])


def _write(events: duckdb.DuckDBPyConnection, table: str, path: Path, after: int, upto: int) -> tuple[int, int]:
    """Writes the lines of a table with event numbers in (after, upto]; returns their count and newest time."""
    piece = f"from numbered where name = '{table}' and number > {after} and number <= {upto}"
    [(rows, newest)] = events.execute(f"select count(*), coalesce(max(event_time), 0) {piece}").fetchall()
    if rows:
        target = str(path).replace("'", "''")
        events.execute(
            f"""copy (select rtrim(line, chr(13)) as "{TABLES[table].header}" from lines_{table} """
            f"where row in (select row {piece}) order by row) to '{target}' "
            "(format csv, header true, delimiter '\x01', quote '', escape '')"
        )
    return rows, newest
