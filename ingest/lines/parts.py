"""Cuts a source into compressed parts of good lines, and sets the other lines aside.

Each file is read once. A thread reads ahead and judges the lines, while another compresses them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import compress, islice
from pathlib import Path

from ingest.errors import SourceError
from ingest.lines.judge import bad_rows
from ingest.lines.part_files import LocalPart, PartWriter, lines_of
from ingest.lines.quarantine import Quarantine, Rejected
from ingest.lines.reader import BLOCK_BYTES, Block, Lines, ahead
from ingest.sources.archive import OpenSource

PART_BYTES = 100 << 20


@dataclass(frozen=True)
class CutTable:
    """A table cut into parts.

    `file` is the name of its file, `form` how that was read if it is not the CSV of the contract; `source_sha256` is
    the digest of all its lines, rejected ones included, with line ends made LF; `rows_read` is the sum of the parts'
    rows and `rows_rejected`.
    """

    file: str
    form: str | None
    source_sha256: str
    rows_read: int
    rows_rejected: int
    parts: tuple[LocalPart, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class CutBatch:
    """The tables of a source, the parts with their rejected lines, and a summary of these ('' if none).

    A rejected part's `first_line` is the running number of its first record.
    """

    tables: dict[str, CutTable]
    rejected: tuple[LocalPart, ...]
    report: str


def cut(
    source: OpenSource,
    work: Path,
    *,
    max_rejected: float = 0.001,
    on_bytes: Callable[[int], None] = lambda count: None,
    report_dir: Path | None = None,
    part_bytes: int = PART_BYTES,
    block_bytes: int = BLOCK_BYTES,
) -> CutBatch:
    """Cuts the source's tables into `work/<table>/part-NNNNN.csv.zst`, rejected lines into `work/rejected/`.

    `max_rejected` is the share of a file's rows that may be rejected; `on_bytes` gets the uncompressed bytes of each
    read; `report_dir` (default: `work`) keeps the list of rejected lines when there are too many; a part is closed at
    `part_bytes` compressed, at the end of a block of `block_bytes`. The same content makes the same parts, whatever its
    line ends. Raises SourceError for a file that cannot be used and QuarantineError for too many rejected rows; what is
    in `work` then is of no use.
    """
    tables: dict[str, CutTable] = {}
    report: list[str] = []
    with PartWriter(work / "rejected", ",".join(Rejected._fields), part_bytes) as rejected:
        for table in map(source.table, source.tables):
            form = source.form(table.name)
            with source.open(table.name) as stream:
                lines = Lines(stream, table, on_bytes, block_bytes, form)
                quarantine = Quarantine(lines, rejected, work / f"{table.name}-rejected.csv")
                parts = _sort(lines, PartWriter(work / table.name, table.header, part_bytes), quarantine)
            if not lines.rows:
                raise SourceError(f"{table.file}:1: a header and no rows. Is the download or the copy complete?")
            warnings = _end_warnings(lines, parts)
            quarantine.check(max_rejected, report_dir or work)
            report += quarantine.summary()
            tables[table.name] = CutTable(
                table.file,
                form.name if form else None,
                lines.sha256,
                lines.rows,
                quarantine.rows,
                tuple(parts),
                warnings,
            )
    return CutBatch(tables, tuple(rejected.parts), "\n".join(report))


def _sort(lines: Lines, writer: PartWriter, quarantine: Quarantine) -> list[LocalPart]:
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


def _end_warnings(lines: Lines, parts: list[LocalPart]) -> tuple[str, ...]:
    if lines.open_end is None:
        return ()
    where = f"{lines.table.file}:{lines.line_of(lines.rows - 1)}"
    problem = lines.reason(lines.open_end)
    if problem is None and lines.table.columns[-1].kind == "timestamp" and lines.rows > 1:
        timestamp = _timestamp(lines.csv_line(lines.open_end).encode())
        not_later = (line for part in parts for line in lines_of(part) if _timestamp(line) <= timestamp)
        if len(list(islice(not_later, 2))) < 2:  # itself, and another
            problem = f"timestamp {timestamp} is smaller than every other"
    if problem:
        raise SourceError(
            f"{where}: the file looks truncated: its last line has no line end, and {problem}. Get the "
            "file anew; if this is all of it, end the line or remove it"
        )
    return (f"{where}: no line end after the last line; the file was taken as complete",)


def _timestamp(line: bytes) -> int:
    return int(line.rpartition(b",")[2].strip(b'"\n'))
