"""A source file as a stream of clean lines, whatever its line ends: one line is one row.

MovieLens rows never span lines, so a line can be judged alone, and a quote left open spoils no other line.
"""

from __future__ import annotations

import csv
import hashlib
from array import array
from bisect import bisect_right
from codecs import BOM_UTF8
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, TypeVar

import numpy as np

from ingest.errors import SourceError
from ingest.lines.rules import reason
from ingest.schema import Table
from ingest.sources.formats import CSV, Form

BLOCK_BYTES = 8 << 20
# Escaped, a line grows fourfold at most: DuckDB reads lines of up to 2 MiB unless told otherwise.
MAX_LINE = 256 << 10
_UNREADABLE = '"'  # no table takes it for a line

T = TypeVar("T")


@dataclass(frozen=True)
class Block:
    """Whole lines, each ended by LF: as the `source` has them, and as CSV, where one that cannot be read is a bad line.

    `first_row`, the number of the first one in the file, from 0; `rows`, how many there are.
    """

    first_row: int
    rows: int
    source: bytes
    csv: bytes


@contextmanager
def ahead(items: Generator[T, None, None], by: int = 2) -> Iterator[Iterator[T]]:
    """The same items in the same order, `by` of them prepared in advance by a thread of their own.

    Reading, compressing, hashing and numpy let other threads run meanwhile. What `items` raises is raised where the
    item would be taken. `items` is closed with the context.
    """
    end = object()
    with closing(items), ThreadPoolExecutor(max_workers=1) as thread:
        waiting = deque(thread.submit(next, items, end) for _ in range(by))

        def taken() -> Iterator[T]:
            while (item := waiting.popleft().result()) is not end:
                waiting.append(thread.submit(next, items, end))
                yield item  # type: ignore[misc]  # it is not `end`

        yield taken()


class Lines:
    """The data lines of one file, read once, in bounded memory.

    Parameters: `stream`, the file's bytes; `table`, whose header it must have; `on_bytes`, gets the size of each
    read; `block_bytes`, the size of a read and of the blocks given out; `form`, how it is read. After `blocks`: `rows`,
    the lines given out; `sha256`, of the header and all lines as they came, each ended by LF; `open_end`, the last line
    if it has no line end, else None.
    """

    def __init__(
        self,
        stream: BinaryIO,
        table: Table,
        on_bytes: Callable[[int], None] = lambda count: None,
        block_bytes: int = BLOCK_BYTES,
        form: Form = CSV,
    ) -> None:
        self._stream, self._on_bytes, self._block_bytes = stream, on_bytes, block_bytes
        self.table, self.form = table, form
        self._hash = hashlib.sha256(f"{form.name or table.header}\n".encode())
        # For each blank line, the number of rows before it: blank lines are no rows, yet they count as lines.
        self._blanks = array("q")
        self.rows = 0
        self.open_end: bytes | None = None

    @property
    def sha256(self) -> str:
        """The digest of what was read so far."""
        return self._hash.hexdigest()

    def line_of(self, row: int) -> int:
        """The line number in the source file (a header is line 1) of a row, counted from 0."""
        return row + 1 + self.form.header + bisect_right(self._blanks, row)

    def blocks(self) -> Generator[Block, None, None]:
        """All lines but the header and blank ones.

        The same content gives the same blocks, whatever its line ends. Raises SourceError for an empty file,
        a header that differs and a line over `MAX_LINE`.
        """
        row = 0
        with closing(self._even_blocks()) as blocks:
            for block in blocks:
                rows = int(np.count_nonzero(np.frombuffer(block, np.uint8) == 10))  # four times as fast as bytes.count
                yield Block(row, rows, block, self._as_csv(block))
                row += rows

    def _even_blocks(self) -> Generator[bytes, None, None]:
        rest = b""
        with closing(self._clean()) as cleaned:
            for clean in cleaned:
                rest += clean
                while len(rest) > self._block_bytes:
                    end = rest.rfind(b"\n", 0, self._block_bytes) + 1 or rest.find(b"\n") + 1
                    yield rest[:end]
                    rest = rest[end:]
        if rest:
            yield rest

    def _as_csv(self, block: bytes) -> bytes:
        quick = self.form.quick(block)
        if quick is not None and b"\0" not in quick and b"\r" not in quick and _is_utf8(quick):
            return quick
        lines = []
        for line in block.split(b"\n")[:-1]:
            try:
                lines.append(self.csv_line(line))
            except ValueError:
                lines.append(_UNREADABLE)
        return "\n".join([*lines, ""]).encode()

    def csv_line(self, line: bytes) -> str:
        """A line of the source as CSV; raises ValueError with the reason where no engine can read it."""
        try:
            text = self.form.convert(line.decode(self.form.encoding))
        except UnicodeDecodeError as problem:
            byte = f"{line[problem.start]:02x}"
            raise ValueError(f"not valid UTF-8: byte 0x{byte}, shown as \\x{byte}") from None
        except csv.Error as problem:
            raise ValueError(problem) from None
        if "\0" in text:
            raise ValueError("a NUL byte, shown as \\x00")
        if "\r" in text:
            raise ValueError("a carriage return inside the line, shown as \\r")
        return text

    def reason(self, line: bytes) -> str | None:
        """Why a line of the source cannot be loaded; None if it can."""
        try:
            return reason(self.table, self.csv_line(line))
        except ValueError as problem:
            return str(problem)

    def shown(self, line: bytes) -> str:
        """A line of the source as text, with what is none written out."""
        text = line.decode(self.form.encoding, errors="backslashreplace")
        return text.replace("\0", "\\x00").replace("\r", "\\r")

    def digest(self) -> str:
        """Reads all lines for their `sha256` alone; raises as `blocks`."""
        for _ in self._clean():
            pass
        return self.sha256

    def _clean(self) -> Generator[bytes, None, None]:
        # Left to the garbage collector, a generator with a thread would be closed inside whatever thread that runs in,
        # and may wait there for a lock of that very thread's start.
        with closing(self._whole_lines()) as raw:
            first = next(raw, None)
            if first is None:
                raise SourceError(f"{self.table.file}: the file is empty. Is the download or the copy complete?")
            first = first.removeprefix(BOM_UTF8)
            if self.form.header:
                header, _, first = first.partition(b"\n")
                if not self.form.name:
                    self._check_header(header)
            for lines in chain([first], raw):
                clean = self._normalised(lines) if lines else b""
                self._hash.update(clean)
                yield clean

    def _whole_lines(self) -> Generator[bytes, None, None]:
        tail = b""
        with ahead(self._chunks()) as chunks:
            for chunk in chunks:
                end = chunk.rfind(b"\n") + 1
                if end:
                    yield tail + chunk[:end]
                    tail = b""
                tail += chunk[end:]
                if len(tail) > MAX_LINE:
                    raise self._too_long(self.rows)
        if tail := tail.rstrip(b"\r"):
            self.open_end = tail
            yield tail + b"\n"

    def _chunks(self) -> Generator[bytes, None, None]:
        while chunk := self._stream.read(self._block_bytes):
            self._on_bytes(len(chunk))
            yield chunk

    def _normalised(self, block: bytes) -> bytes:
        if b"\r" in block:
            codes = np.frombuffer(block, np.uint8)
            alone = (codes[:-1] == 13) & (codes[1:] != 10)
            # translate is ten times as fast as replace
            block = block.replace(b"\r\n", b"\n") if alone.any() else block.translate(None, b"\r")
        ends = np.frombuffer(block, np.uint8) == 10
        if ends[0] or (ends[1:] & ends[:-1]).any():
            block, ends = self._without_blanks(block, ends)
        half = MAX_LINE // 2
        if any(block.find(b"\n", start, start + half) < 0 for start in range(0, len(block) - half, half)):
            lengths = np.diff(np.flatnonzero(ends), prepend=-1) - 1
            if lengths.max() > MAX_LINE:
                raise self._too_long(self.rows + int(lengths.argmax()))
        self.rows += int(np.count_nonzero(ends))
        return block

    def _without_blanks(self, block: bytes, ends: np.ndarray) -> tuple[bytes, np.ndarray]:
        positions = np.flatnonzero(ends)
        blank = np.flatnonzero(np.diff(positions, prepend=-1) == 1)
        self._blanks.frombytes((self.rows + blank - np.arange(len(blank))).astype(np.int64).tobytes())
        kept = np.delete(np.frombuffer(block, np.uint8), positions[blank])
        if len(self._blanks) > self.rows + len(positions) - len(blank) + 1000:
            raise SourceError(f"{self.table.file}: more blank lines than rows: its line ends are damaged")
        return kept.tobytes(), kept == 10

    def _too_long(self, row: int) -> SourceError:
        return SourceError(
            f"{self.table.file}:{self.line_of(row)}: a line of more than {MAX_LINE:,} bytes. Is this a "
            "MovieLens file, and are its line ends LF or CRLF?"
        )

    def _check_header(self, line: bytes) -> None:
        text = line[:10_000].removesuffix(b"\r").decode(errors="backslashreplace")
        expected = self.table.header.split(",")
        try:
            found = next(csv.reader([text]), [])
        except csv.Error:  # a carriage return inside the line, for one
            found = text.split(",")
        if found == expected:
            return
        faults = {
            "missing": [name for name in expected if name not in found],
            "not expected": [name for name in found if name not in expected],
            "more than once": sorted({name for name in found if found.count(name) > 1}),
        }
        problems = [f"{what} {', '.join(map(repr, names))[:200]}" for what, names in faults.items() if names]
        what = "; ".join(problems) or "the columns are in another order"
        raise SourceError(
            f"{self.table.file}:1: the header does not fit: {what}."
            f"\n  expected: {self.table.header}\n  found:    {ascii(text[:200])[1:-1]}"
        )


def _is_utf8(block: bytes) -> bool:
    try:
        return block.isascii() or block.decode() is not None
    except UnicodeDecodeError:
        return False
