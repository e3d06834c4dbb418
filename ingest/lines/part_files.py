"""Parts on disk: zstd-compressed CSV files with a header, written, read, written again without some rows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from io import BufferedReader, RawIOBase
from itertools import compress
from pathlib import Path
from typing import BinaryIO, cast

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
        self, folder: Path, header: str, part_bytes: int, on_part: Callable[[LocalPart], None], name: str = "part"
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._name, self._header = folder, name, f"{header}\n".encode()
        self._part_bytes, self._on_part = part_bytes, on_part
        self._parts = 0
        self._file: BinaryIO | None = None

    def write(self, block: bytes, rows: int, first_line: int) -> None:
        """Appends `rows` whole lines; `first_line` counts only where they open a part."""
        file = self._file or self._open(first_line)
        self._put(file, self._zstd.compress(block))
        self._rows += rows
        if self._bytes >= self._part_bytes:
            self.close()

    def _open(self, first_line: int) -> BinaryIO:
        self._path = self._folder / f"{self._name}-{self._parts:05d}.csv.zst"
        file = self._file = self._path.open("wb")
        self._parts += 1
        self._first_line, self._rows, self._bytes, self._hash = first_line, 0, 0, hashlib.sha256()
        # one thread, so that the bytes do not depend on timing
        self._zstd = zstandard.ZstdCompressor(level=1).compressobj()
        self._put(file, self._zstd.compress(self._header))
        return file

    def _put(self, file: BinaryIO, data: bytes) -> None:
        file.write(data)
        self._hash.update(data)
        self._bytes += len(data)

    def close(self) -> None:
        """Ends the open part, if any."""
        if self._file is not None:
            self._put(self._file, self._zstd.flush())
            self.abandon()
            self._on_part(LocalPart(self._path, self._rows, self._first_line, self._bytes, self._hash.hexdigest()))

    def abandon(self) -> None:
        """Closes the open file without making a part of it: something else has failed."""
        if self._file is not None:
            self._file.close()
            self._file = None


def without_rows(part: LocalPart, header: str, dropped: Sequence[int], first_line: int) -> LocalPart | None:
    """Writes a part again, in place, without the rows `dropped` (ascending, from 0); None if no row is left.

    `first_line` is the source line of the first row that stays.
    """
    written: list[LocalPart] = []
    writer = PartWriter(part.path.parent, header, 1 << 62, written.append, name=f"clean-{part.path.name[5:10]}")
    bad = np.asarray(dropped)
    row = 0
    with part.path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        text = BufferedReader(cast(RawIOBase, stream), 1 << 20)
        text.readline()
        try:
            while lines := text.readlines(BLOCK_BYTES):
                good = np.ones(len(lines), np.bool_)
                good[bad[slice(*np.searchsorted(bad, (row, row + len(lines))))] - row] = False
                if kept := list(compress(lines, good.tolist())):
                    writer.write(b"".join(kept), len(kept), first_line)
                row += len(lines)
            writer.close()
        finally:
            writer.abandon()
    if not written:
        part.path.unlink()
        return None
    return replace(written[0], path=written[0].path.replace(part.path))
