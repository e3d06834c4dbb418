"""Cuts a source into compressed parts of checked lines, and sets the other lines aside.

Each file is read once, by one thread, while another compresses. Lines that are proven to be plain on the way need no
further look. A part with others is read back by DuckDB, which holds it against the table's pattern while the next
one is being cut; only a part with bad lines is written again.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from io import BufferedReader, RawIOBase
from itertools import chain, islice
from pathlib import Path
from typing import cast

from ingest.errors import IngestError, QuarantineError, SourceError
from ingest.lines.part_check import PartCheck
from ingest.lines.part_files import LocalPart, PartWriter, without_rows
from ingest.lines.plain import all_plain
from ingest.lines.reader import BLOCK_BYTES, Lines, ahead, count
from ingest.lines.rules import REJECTED_HEADER, Rejected, as_csv, reason, rejected
from ingest.schema import Table
from ingest.sources.archive import OpenSource
from ingest.sources.formats import Form
from ingest.text import cell

PART_BYTES = 100 << 20
REPORTED = 100_000
_SHOWN = 3


@dataclass(frozen=True)
class CutTable:
    """A table cut into parts.

    `file` is the name of its file, `form` how that was read if it is not the CSV of the contract; `source_sha256` is
    the digest of all its lines, rejected ones included, with line ends made LF; `rows_read` is the sum of the parts'
    rows and `rows_rejected`.
    """

    table: str
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
    tables: Iterable[str] | None = None,
    max_rejected: float = 0.001,
    on_bytes: Callable[[int], None] = lambda count: None,
    report_dir: Path | None = None,
    part_bytes: int = PART_BYTES,
    block_bytes: int = BLOCK_BYTES,
) -> CutBatch:
    """Cuts the source's tables (or only `tables`) into `work/<table>/` and
    `work/rejected/part-NNNNN.csv.zst`.

    `max_rejected` is the share of a file's rows that may be rejected; `on_bytes` gets the uncompressed
    bytes of each read; `report_dir` (default: `work`) keeps the list of rejected lines when there are too
    many; a part is closed at `part_bytes` compressed, at the end of a block of `block_bytes`. The same
    content makes the same parts, whatever its line ends. Raises SourceError for a file that cannot be used
    and QuarantineError for too many rejected rows; what is in `work` then is of no use.
    """
    try:
        cutter = _Cutter(source, work, max_rejected, on_bytes, report_dir or work, part_bytes, block_bytes)
        return cutter.batch(source.tables if tables is None else tables)
    except OSError as problem:
        raise IngestError(
            f"cannot write the parts of {source.name} below {work}: {problem.strerror or problem}. Free "
            "some space, or set MOVIELENS_DATA_DIR to a folder with more of it"
        ) from problem


@dataclass(frozen=True)
class _Block:
    """Whole lines: how many, the source line of the first, and whether all are proven to be good."""

    lines: bytes
    rows: int
    first_line: int
    plain: bool


@dataclass
class _Piece:
    """A part as cut: its first row in the file (from 0), and how many of its rows are bad."""

    part: LocalPart
    first_row: int
    bad: Future[int]


@dataclass
class _Cutter:
    source: OpenSource
    work: Path
    max_rejected: float
    on_bytes: Callable[[int], None]
    report_dir: Path
    part_bytes: int
    block_bytes: int

    def __post_init__(self) -> None:
        self._rejected_parts: list[LocalPart] = []
        self._rejects = PartWriter(
            self.work / "rejected", ",".join(REJECTED_HEADER), self.part_bytes, self._rejected_parts.append
        )
        self._rejected_rows = 0
        self._summary: list[str] = []
        self._to_show = 0

    def batch(self, names: Iterable[str]) -> CutBatch:
        try:
            with PartCheck() as self._check:
                cut_tables = {name: self._table(self.source.table(name)) for name in names}
            self._rejects.close()
        finally:
            self._rejects.abandon()
        return CutBatch(cut_tables, tuple(self._rejected_parts), "\n".join(self._summary))

    def _table(self, table: Table) -> CutTable:
        with self.source.open(table.name) as stream:
            form = self.source.form(table.name)
            lines = Lines(stream, table, self.on_bytes, self.block_bytes, form)
            pieces = self._pieces(table, lines)
        if not lines.rows:
            raise SourceError(f"{table.file}:1: a header and no rows. Is the download or the copy complete?")
        warnings = self._end_warnings(table, lines, pieces)
        bad = sum(piece.bad.result() for piece in pieces)
        if bad > self.max_rejected * lines.rows:
            raise self._refusal(table, lines, pieces, bad)
        if bad:
            self._summary.append(f"{table.file}: {bad:,} of {lines.rows:,} rows rejected")
        self._to_show = _SHOWN
        cleaned = [self._cleaned(table, lines, piece) for piece in pieces]
        parts = tuple(_numbered(part, number) for number, part in enumerate(filter(None, cleaned)))
        return CutTable(
            table.name, table.file, form.name if form else None, lines.sha256, lines.rows, bad, parts, warnings
        )

    def _pieces(self, table: Table, lines: Lines) -> list[_Piece]:
        pieces: list[_Piece] = []
        plain: list[bool] = []  # for each block of the part that is being written
        with ThreadPoolExecutor(max_workers=1) as pool:

            def on_part(part: LocalPart) -> None:
                first_row = pieces[-1].first_row + pieces[-1].part.rows if pieces else 0
                pieces.append(_Piece(part, first_row, pool.submit(self._bad_rows, table, part, all(plain))))
                plain.clear()

            writer = PartWriter(self.work / table.name, table.header, self.part_bytes, on_part)
            try:
                with ahead(_blocks(table, lines)) as blocks:
                    for block in blocks:
                        plain.append(block.plain)
                        writer.write(block.lines, block.rows, block.first_line)
                writer.close()
            finally:
                writer.abandon()
        return pieces

    def _bad_rows(self, table: Table, part: LocalPart, plain: bool) -> int:
        return 0 if plain else self._check.bad_rows(table, part)

    def _end_warnings(self, table: Table, lines: Lines, pieces: list[_Piece]) -> tuple[str, ...]:
        if lines.open_end is None:
            return ()
        last = lines.readable(lines.open_end).decode()
        where = f"{table.file}:{lines.line_of(lines.rows - 1)}"
        problem = reason(table, last)
        if problem is None and table.columns[-1].kind == "timestamp" and lines.rows > 1:
            timestamp = int(last.rpartition(",")[2].strip('"'))
            if sum(self._check.rows_until(table, piece.part, timestamp) for piece in pieces) < 2:
                problem = f"timestamp {timestamp} is smaller than every other"
        if problem:
            raise SourceError(
                f"{where}: the file looks truncated: its last line has no line end, and {problem}. Get the "
                "file anew; if this is all of it, end the line or remove it"
            )
        return (f"{where}: no line end after the last line; the file was taken as complete",)

    def _rejected(self, table: Table, lines: Lines, piece: _Piece) -> Iterable[tuple[int, Rejected]]:
        found = (
            (row, rejected(table, lines.line_of(piece.first_row + row), line))
            for row, line in self._check.find_bad_rows(table, piece.part)
        )
        return found if lines.form is None else self._verbatim(table, lines.form, found)

    def _verbatim(
        self, table: Table, form: Form, found: Iterable[tuple[int, Rejected]]
    ) -> Generator[tuple[int, Rejected], None, None]:
        """The same records with the lines as the source has them, before they were converted."""
        with self.source.open(table.name) as stream:
            numbered = enumerate(BufferedReader(cast(RawIOBase, stream), 1 << 20), 1)
            for row, record in found:
                line = next(line for number, line in numbered if number == record.line).rstrip(b"\r\n")
                text = line.decode(form.encoding, errors="backslashreplace")
                yield row, replace(record, raw_line=text.replace("\0", "\\x00").replace("\r", "\\r"))

    def _refusal(self, table: Table, lines: Lines, pieces: list[_Piece], bad: int) -> QuarantineError:
        found = chain.from_iterable(self._rejected(table, lines, piece) for piece in pieces if piece.bad.result())
        listed = [record for _, record in islice(found, REPORTED)]
        self.report_dir.mkdir(parents=True, exist_ok=True)
        report = self.report_dir / f"{table.name.replace('_', '-')}-rejected.csv"
        readable = (replace(record, raw_line=cell(record.raw_line)) for record in listed)
        report.write_bytes(f"{','.join(REJECTED_HEADER)}\n".encode() + as_csv(readable))
        first = "".join(f"\n  {record.where}" for record in listed[:_SHOWN])
        share = min(1.0, 1.5 * bad / lines.rows)
        which = "All of them" if bad == len(listed) else f"The first {len(listed):,}"
        return QuarantineError(
            f"{table.file}: {bad:,} of {lines.rows:,} rows ({bad / lines.rows:.2%}) cannot be loaded, more "
            f"than the {self.max_rejected:.2%} allowed; nothing was landed.{first}\n{which}: {report}\n"
            f"Repair the file, or allow more with --max-rejected (a share, such as {share:.2g})"
        )

    def _cleaned(self, table: Table, lines: Lines, piece: _Piece) -> LocalPart | None:
        if not piece.bad.result():
            return piece.part
        dropped = array("q")
        found = iter(self._rejected(table, lines, piece))
        while batch := list(islice(found, 10_000)):
            shown = batch[: self._to_show]
            self._summary += [f"  {record.where}" for _, record in shown]
            self._to_show -= len(shown)
            dropped.extend(row for row, _ in batch)
            self._rejects.write(as_csv(record for _, record in batch), len(batch), self._rejected_rows + 1)
            self._rejected_rows += len(batch)
        first_kept = next((at for at, row in enumerate(dropped) if at != row), len(dropped))
        part = without_rows(piece.part, table.header, dropped, lines.line_of(piece.first_row + first_kept))
        if part is not None and self._check.bad_rows(table, part):
            raise IngestError(
                f"{table.file}: {part.path} still holds bad lines: a fault of this program, please report it"
            )
        return part


def _blocks(table: Table, lines: Lines) -> Generator[_Block, None, None]:
    row = 0
    with closing(lines.blocks()) as blocks:
        for block in blocks:
            rows = count(block)
            yield _Block(block, rows, lines.line_of(row), all_plain(table, block))
            row += rows


def _numbered(part: LocalPart, number: int) -> LocalPart:
    path = part.path.with_name(f"part-{number:05d}.csv.zst")
    return replace(part, path=part.path.replace(path)) if path != part.path else part
