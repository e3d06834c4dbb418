"""A source's file as a stream of its plain bytes: unpacked, bounded, and with faults as SourceErrors."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from typing import BinaryIO, cast

import zstandard

from ingest.errors import SourceError

MAX_TOTAL = 64 << 30
# Deflate and zstd reach 1000:1 and more; the real files stay under 10:1.
MAX_RATIO, RATIO_FROM = 100, 10 << 20
DAMAGED = (zipfile.BadZipFile, zlib.error, zstandard.ZstdError, EOFError, OSError, NotImplementedError, RuntimeError)


def plain_file(stored: BinaryIO, file: str, label: str) -> BinaryIO:
    """The bytes of `stored`, unpacked where the name `file` ends in `.gz` or `.zst`; `label` is for messages."""
    return cast(BinaryIO, _PlainFile(stored, file, label))


class _PlainFile(io.RawIOBase):
    def __init__(self, stored: BinaryIO, file: str, label: str) -> None:
        super().__init__()
        self._stored, self._label, self._read = stored, label, 0
        self._stream = stored
        if file.lower().endswith(".gz"):
            self._stream = cast(BinaryIO, gzip.GzipFile(fileobj=stored))
        elif file.lower().endswith(".zst"):
            self._stream = cast(BinaryIO, io.BufferedReader(_Zstd(stored), 1 << 18))

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        try:
            content = self._stream.read(size)
            self._read += len(content)
            packed = self._stream is not self._stored
            bomb = packed and self._read > RATIO_FROM and self._read > MAX_RATIO * self._stored.tell()
        except DAMAGED as problem:
            raise SourceError(f"{self._label} is damaged: {problem}. Download or copy it again.") from problem
        if bomb or self._read > MAX_TOTAL:
            raise SourceError(f"{self._label}: refused, it unpacks to over {self._read:,} bytes, like a bomb")
        return content

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._stream.close()
        self._stored.close()
        super().close()


class _Zstd(io.RawIOBase):
    """The content of one or more zstd frames; unlike the library's own reader, it notices a frame that is cut off."""

    def __init__(self, stored: BinaryIO) -> None:
        super().__init__()
        self._stored, self._frame, self._packed, self._plain = stored, _frame(), b"", b""
        self._inside = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        while not self._plain:
            packed = self._packed or self._stored.read(1 << 12)  # 32,000 times as much may come out of it
            if not packed:
                if self._inside:
                    raise EOFError("it ends in the middle")
                return 0
            self._plain, self._packed, self._inside = self._frame.decompress(packed), b"", not self._frame.eof
            if self._frame.eof:
                self._packed, self._frame = self._frame.unused_data, _frame()
        size = min(len(buffer), len(self._plain))
        buffer[:size], self._plain = self._plain[:size], self._plain[size:]
        return size


def _frame() -> zstandard.ZstdDecompressionObj:
    return zstandard.ZstdDecompressor().decompressobj()
