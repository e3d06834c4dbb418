"""Parts on disk: zstd-compressed CSV files with a header, written, read, written again without some rows."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import zstandard

from ingest.lines.reader import BLOCK_BYTES


@dataclass(frozen=True)
class LocalPart:
    """A part on disk: data `rows`, `first_line` in the source file, `bytes` and `sha256` as stored."""

    path: Path
    rows: int
    first_line: int
    bytes: int
    sha256: str


class PartWriter:
    """Writes blocks of lines into the files `<name>-NNNNN.csv.zst` of `folder`, each starting with `header`.

    A part is closed by the block that brings it to `part_bytes` compressed, and handed to `on_part`.
    """

    def __init__(
        self,
        folder: Path,
        header: str,
        part_bytes: int,
        on_part: Callable[[LocalPart], None],
        name: str = "part",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._name, self._header = folder, name, f"{header}\n".encode()
        self._part_bytes, self._on_part = part_bytes, on_part
        self._parts = 0
        self._open: _OpenPart | None = None

    def write(self, block: bytes, rows: int, first_line: int) -> None:
        """Appends `rows` whole lines; `first_line` counts only where they open a part."""
        if self._open is None:
            path = self._folder / f"{self._name}-{self._parts:05d}.csv.zst"
            self._open = _OpenPart(path, first_line, self._header)
            self._parts += 1
        self._open.append(block, rows)
        if self._open.bytes >= self._part_bytes:
            self.close()

    def close(self) -> None:
        """Ends the open part, if any."""
        if self._open is not None:
            part, self._open = self._open.close(), None
            self._on_part(part)

    def abandon(self) -> None:
        """Closes the open file without making a part of it: something else has failed."""
        if self._open is not None:
            self._open.file.close()


class _OpenPart:
    def __init__(self, path: Path, first_line: int, header: bytes) -> None:
        self.path, self.first_line = path, first_line
        self.file: BinaryIO = path.open("wb")
        self.rows = self.bytes = 0
        self._hash = hashlib.sha256()
        # one thread, so that the bytes do not depend on timing
        self._zstd = zstandard.ZstdCompressor(level=1).compressobj()
        self.append(header, 0)

    def append(self, block: bytes, rows: int) -> None:
        self._put(self._zstd.compress(block))
        self.rows += rows

    def close(self) -> LocalPart:
        self._put(self._zstd.flush())
        self.file.close()
        return LocalPart(self.path, self.rows, self.first_line, self.bytes, self._hash.hexdigest())

    def _put(self, data: bytes) -> None:
        self.file.write(data)
        self._hash.update(data)
        self.bytes += len(data)


def blocks(path: Path) -> Iterator[bytes]:
    """The data lines of a part, in blocks of whole lines."""
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        rest, header = b"", True
        while chunk := stream.read(BLOCK_BYTES):
            end = chunk.rfind(b"\n") + 1
            block, rest = (rest + chunk[:end], chunk[end:]) if end else (b"", rest + chunk)
            if header and block:
                block, header = block.partition(b"\n")[2], False
            if block:
                yield block


def without_rows(part: LocalPart, header: str, dropped: Sequence[int], first_line: int) -> LocalPart | None:
    """Writes a part again, in place, without the rows `dropped` (ascending, from 0); None if no row is left.

    `first_line` is the source line of the first row that stays.
    """
    written: list[LocalPart] = []
    writer = PartWriter(part.path.parent, header, 1 << 62, written.append, name=f"clean-{part.path.name[5:10]}")
    row = at = 0
    try:
        for block in blocks(part.path):
            ends = np.flatnonzero(np.frombuffer(block, np.uint8) == 10)
            until = bisect_left(dropped, row + len(ends), at)
            kept, start = [], 0
            for index in dropped[at:until]:
                begin = int(ends[index - row - 1]) + 1 if index > row else 0
                kept.append(block[start:begin])
                start = int(ends[index - row]) + 1
            kept.append(block[start:])
            if rows := len(ends) - (until - at):
                writer.write(b"".join(kept), rows, first_line)
            row, at = row + len(ends), until
        writer.close()
    finally:
        writer.abandon()
    if not written:
        part.path.unlink()
        return None
    clean = written[0]
    clean.path.replace(part.path)
    return LocalPart(part.path, clean.rows, clean.first_line, clean.bytes, clean.sha256)
