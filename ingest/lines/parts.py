"""Cuts a source into compressed parts of good lines, and sets the other lines aside.

Each file is read once. A thread reads ahead and judges the lines, while another compresses them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import compress, islice
from pathlib import Path

from ingest.errors import SourceError
from ingest.lines.judge import bad_rows
from ingest.lines.part_files import PartWriter, lines_of
from ingest.lines.quarantine import Quarantine, Rejected
from ingest.lines.reader import BLOCK_BYTES, Block, Lines, ahead
from ingest.manifest import BatchTable, Part, schema_of
from ingest.schema import Mode
from ingest.sources.archive import OpenSource

PART_BYTES = 100 << 20
# A spreadsheet drops the lines beyond these without a word when it saves a file.
SPREADSHEET_LINES = 1 << 20


@dataclass(frozen=True)
class CutBatch:
    """A source in parts: its tables and rejected lines as a manifest has them, and `warnings` for a person.

    The parts lie below `work` under their keys. `first_line` of a rejected one is the number of its first record.
    """

    work: Path
    tables: dict[str, BatchTable]
    rejected: tuple[Part, ...]
    warnings: tuple[str, ...]


def cut(
    source: OpenSource,
    work: Path,
    folder: str,
    modes: Mapping[str, Mode],
    *,
    max_rejected: float = 0.001,
    on_bytes: Callable[[int], None] = lambda count: None,
    report_dir: Path | None = None,
    part_bytes: int = PART_BYTES,
    block_bytes: int = BLOCK_BYTES,
) -> CutBatch:
    """Cuts the source's tables into the parts of a batch, below `work`; `folder` is the batch's in the bucket.

    `modes`, of each table; `max_rejected`, the share of a file's rows that may be rejected; `on_bytes` gets the
    uncompressed bytes of each read; `report_dir` (default: `work`) keeps the list of rejected lines when there are too
    many; a part is closed at `part_bytes` compressed, at the end of a block of `block_bytes`. The same content makes
    the same parts, whatever its line ends. Raises SourceError for a file that cannot be used and QuarantineError for
    too many rejected rows; what is in `work` then is of no use.
    """
    tables: dict[str, BatchTable] = {}
    warnings: list[str] = []
    with PartWriter(work, f"{folder}/rejected", ",".join(Rejected._fields), part_bytes) as rejected:
        for table in map(source.table, source.tables):
            form = source.form(table.name)
            with source.open(table.name) as stream:
                lines = Lines(stream, table, on_bytes, block_bytes, form)
                quarantine = Quarantine(lines, rejected, work / f"{table.name}-rejected.csv")
                parts = _sort(lines, PartWriter(work, f"{folder}/{table.name}", table.header, part_bytes), quarantine)
            if not lines.rows:
                raise SourceError(f"{table.file}:1: a header and no rows. Is the download or the copy complete?")
            if lines.open_end is not None:
                warnings.append(_check_end(lines, lines.open_end, [work / part.key for part in parts]))
            if lines.rows + 1 == SPREADSHEET_LINES:
                warnings.append(
                    f"{table.file} has {SPREADSHEET_LINES:,} lines, all that a spreadsheet holds: is its end missing?"
                )
            quarantine.check(max_rejected, report_dir or work)
            warnings += quarantine.summary()
            tables[table.name] = BatchTable(
                **schema_of(table),
                mode=modes[table.name],
                source_file=table.file,
                form=form.name or None,
                source_sha256=lines.sha256,
                rows_read=lines.rows,
                rows_rejected=quarantine.rows,
                parts=tuple(parts),
            )
    return CutBatch(work, tables, tuple(rejected.parts), tuple(warnings))


def _sort(lines: Lines, writer: PartWriter, quarantine: Quarantine) -> list[Part]:
    """Writes the good lines into parts, which it returns, and sets the others aside."""
    with writer, ahead(_judged(lines)) as blocks:
        for block, bad in blocks:
            good, rows, first = block.csv, block.rows, 0
            if bad:
                quarantine.add(block, bad)
                kept = bytearray(b"\1") * block.rows
                for row in bad:
                    kept[row] = 0
                good = b"".join(compress(good.splitlines(keepends=True), kept))
                rows, first = kept.count(1), kept.find(1)
            if good:
                writer.write(good, rows, lines.line_of(block.first_row + first))
    return writer.parts


def _judged(lines: Lines) -> Generator[tuple[Block, Sequence[int]], None, None]:
    with closing(lines.blocks()) as blocks:
        for block in blocks:
            yield block, bad_rows(lines.table, block.csv)


def _check_end(lines: Lines, last: bytes, parts: list[Path]) -> str:
    """A warning of a `last` line without a line end; raises SourceError where it looks cut off."""
    where = f"{lines.table.file}:{lines.line_of(lines.rows - 1)}"
    problem = lines.reason(last)
    if problem is None and lines.table.columns[-1].kind == "timestamp" and lines.rows > 1:
        timestamp = _timestamp(lines.csv_line(last).encode())
        not_later = (line for part in parts for line in lines_of(part) if _timestamp(line) <= timestamp)
        if len(list(islice(not_later, 2))) < 2:  # itself, and another
            problem = f"timestamp {timestamp} is smaller than every other"
    if problem:
        raise SourceError(
            f"{where}: the file looks truncated: its last line has no line end, and {problem}. Get the "
            "file anew; if this is all of it, end the line or remove it"
        )
    return f"{where}: no line end after the last line; the file was taken as complete"


def _timestamp(line: bytes) -> int:
    return int(line.rpartition(b",")[2].strip(b'"\n'))
