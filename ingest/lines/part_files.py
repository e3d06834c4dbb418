"""Parts on disk: zstd-compressed CSV files with a header, each under its key in the bucket."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from ingest.manifest import Part, part_key


class PartWriter(AbstractContextManager["PartWriter"]):
    """Writes lines into parts, each starting with `header`; `folder` lies below `work` as it will in the bucket.

    A part is closed by the lines that bring it to `part_bytes` compressed. `parts`, those that are closed: all of them
    once the context has ended well.
    """

    def __init__(self, work: Path, folder: str, header: str, part_bytes: int) -> None:
        (work / folder).mkdir(parents=True, exist_ok=True)
        self._work, self._folder, self._header, self._part_bytes = work, folder, f"{header}\n".encode(), part_bytes
        self.parts: list[Part] = []
        self._file: BinaryIO | None = None

    def write(self, lines: bytes, rows: int, first_line: int) -> None:
        """Appends `rows` whole lines; `first_line` counts only where they open a part."""
        file = self._file or self._open(first_line)
        self._put(file, self._zstd.compress(lines))
        self._rows += rows
        if self._bytes >= self._part_bytes:
            self._close(file)

    @property
    def rows(self) -> int:
        """How many lines were written."""
        return sum(part.rows for part in self.parts) + (self._rows if self._file else 0)

    def _open(self, first_line: int) -> BinaryIO:
        self._key = part_key(self._folder, len(self.parts))
        file = self._file = (self._work / self._key).open("wb")
        self._first_line, self._rows, self._bytes, self._hash = first_line, 0, 0, hashlib.sha256()
        # one thread, so that the bytes do not depend on timing
        self._zstd = zstandard.ZstdCompressor(level=1).compressobj()
        self._put(file, self._zstd.compress(self._header))
        return file

    def _put(self, file: BinaryIO, data: bytes) -> None:
        file.write(data)
        self._hash.update(data)
        self._bytes += len(data)

    def _close(self, file: BinaryIO) -> None:
        with file:
            self._put(file, self._zstd.flush())
        self._file = None
        size, sha256 = self._bytes, self._hash.hexdigest()
        self.parts.append(Part(key=self._key, rows=self._rows, first_line=self._first_line, bytes=size, sha256=sha256))

    def __exit__(self, error: object, *_: object) -> None:
        if self._file and error:
            self._file.close()
        elif self._file:
            self._close(self._file)


def lines_of(part: Path) -> Iterator[bytes]:
    """The data lines of a part."""
    with part.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        lines = BufferedReader(cast(RawIOBase, stream), 1 << 20)
        lines.readline()
        yield from lines
