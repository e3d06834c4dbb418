"""Cuts source files into compressed parts of checked lines, and sets the other lines aside.

Each file is read once; while the next part is being cut, DuckDB holds the lines of the last one, read back from
the very part, against the table's pattern. Only a part with bad lines is read and written again.
"""

from __future__ import annotations

import csv
import glob
import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import numpy as np
import zstandard

from ingest.errors import IngestError, QuarantineError, SourceError
from ingest.lines import BLOCK_BYTES, Lines, readable_line
from ingest.quarantine import REJECTED_HEADER, Rejected, as_csv, line_pattern, reason, rejected
from ingest.schema import TABLES, Table
from ingest.source import OpenSource

PART_BYTES = 100 << 20
REPORTED = 100_000
_SHOWN = 3


@dataclass(frozen=True)
class LocalPart:
    """A compressed part on disk: data `rows`, `first_line` in the source file, `bytes` and `sha256` as stored."""

    path: Path
    rows: int
    first_line: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class CutTable:
    """A table cut into parts; `source_sha256` is the digest of all its lines, whatever their line ends were."""

    table: str
    source_sha256: str
    rows_read: int
    rows_rejected: int
    parts: tuple[LocalPart, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class CutBatch:
    """All tables of a source, the parts with their rejected lines, and a summary of these ('' if none)."""

    tables: dict[str, CutTable]
    rejected: tuple[LocalPart, ...]
    report: str


class PartWriter:
    """Writes blocks of lines into `part-NNNNN.csv.zst` files of `folder`, each starting with `header`.

    A part is closed by the block that brings it to `part_bytes`, and then handed to `on_part`.
    """

    def __init__(
        self, folder: Path, header: str, part_bytes: int, on_part: Callable[[LocalPart], None], *, name: str = "part"
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._header, self._part_bytes, self._on_part = folder, f"{header}\n".encode(), part_bytes, on_part
        self._name, self._number, self._file = name, 0, None

    def write(self, block: bytes, rows: int, first_line: int) -> None:
        """Appends whole lines; `first_line` counts only where they open a part."""
        if self._file is None:
            self._path = self._folder / f"{self._name}-{self._number:05d}.csv.zst"
            self._file, self._hash = self._path.open("wb"), hashlib.sha256()
            # one thread: the bytes must not depend on timing
            self._zstd = zstandard.ZstdCompressor(level=1).compressobj()
            self._rows, self._first_line, self._bytes = 0, first_line, 0
            self._put(self._zstd.compress(self._header))
        self._put(self._zstd.compress(block))
        self._rows += rows
        if self._bytes >= self._part_bytes:
            self.close()

    def close(self) -> None:
        """Ends the open part, if any."""
        if self._file is None:
            return
        self._put(self._zstd.flush())
        self._file.close()
        self._file, self._number = None, self._number + 1
        self._on_part(LocalPart(self._path, self._rows, self._first_line, self._bytes, self._hash.hexdigest()))

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)
        self._bytes += len(data)
