"""A data set as it came: a zip archive or a folder with the MovieLens files somewhere in it."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from ingest.errors import SourceError
from ingest.schema import TABLES

MAX_TOTAL = 64 << 30
# Deflate reaches 1000:1; the real files stay under 10:1.
MAX_RATIO, RATIO_FROM = 100, 10 << 20
_BY_FILE = {table.file: table.name for table in TABLES.values()}
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class OpenSource:
    """An archive or folder that passed its checks, open for reading.

    `name`, of the archive or folder; `sha256`, of an archive, None for a folder; `as_of` (UTC), the newest
    date of its files (a zip's dates have no zone and are taken as UTC); `tables`, those present, in the
    schema's order; `total_bytes`, of their files, uncompressed.
    """

    name: str
    sha256: str | None
    as_of: datetime
    tables: tuple[str, ...]
    total_bytes: int
    _open: Callable[[str], BinaryIO]

    def open(self, table: str) -> BinaryIO:
        """The bytes of a table's file; reading raises SourceError where archive or disk is damaged."""
        file = TABLES[table].file
        try:
            return cast(BinaryIO, _Reader(self._open(table), f"{self.name}: {file}"))
        except _DAMAGED as problem:
            raise SourceError(f"{self.name}: {file} cannot be opened: {problem}") from problem


class _Reader(io.RawIOBase):
    """A stream whose faults are told as SourceErrors."""

    def __init__(self, stream: BinaryIO, label: str) -> None:
        super().__init__()
        self._stream, self._label = stream, label

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        try:
            return self._stream.read(size)
        except _DAMAGED as problem:
            raise SourceError(f"{self._label} is damaged: {problem}. Download or copy it anew.") from problem

    def close(self) -> None:
        self._stream.close()
        super().close()


@contextmanager
def open_source(path: Path) -> Iterator[OpenSource]:
    """Opens a local zip or folder; files are found by name at any depth, but for dot files and `__MACOSX`.

    Raises SourceError if it is neither, holds none of the six files or one twice, or is not safe to unpack.
    """
    with ExitStack() as opened:
        try:
            if path.is_dir():
                source = _folder(path)
            elif path.exists():
                source = _archive(path, opened.enter_context(_zip(path)))
            else:
                raise SourceError(
                    f"{path} does not exist: give --source a MovieLens zip, or a folder with its CSV files"
                )
        except OSError as problem:
            raise SourceError(f"cannot read {problem.filename or path}: {problem.strerror}") from problem
        yield source


def _zip(path: Path) -> zipfile.ZipFile:
    with path.open("rb"):  # a file that cannot be read is no damaged archive
        pass
    try:
        return zipfile.ZipFile(path)
    except (*_DAMAGED, ValueError) as problem:
        raise SourceError(
            f"{path} is not a zip archive, or a truncated one ({problem}). Download or copy it anew, or give "
            "--source the folder with the CSV files"
        ) from problem


def _folder(root: Path) -> OpenSource:
    found: list[PurePosixPath] = []
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith(".") and name != "__MACOSX")
        found += [PurePosixPath(folder, name) for name in files if name in _BY_FILE]
    paths = {table: Path(path) for table, path in _by_table(str(root), found).items()}
    stats = [path.stat() for path in paths.values()]
    return OpenSource(
        name=root.resolve().name,
        sha256=None,
        as_of=datetime.fromtimestamp(max(stat.st_mtime for stat in stats), UTC),
        tables=tuple(paths),
        total_bytes=sum(stat.st_size for stat in stats),
        _open=lambda table: paths[table].open("rb"),
    )


def _archive(path: Path, archive: zipfile.ZipFile) -> OpenSource:
    members = {PurePosixPath(member.filename): member for member in archive.infolist()}
    for member in archive.infolist():
        if problem := _unsafe(member):
            raise SourceError(f"{path}: refused, nothing was unpacked: {member.filename!r} {problem}")
    if sum(member.file_size for member in archive.infolist()) > MAX_TOTAL:
        raise SourceError(f"{path}: refused, nothing was unpacked: over {MAX_TOTAL >> 30} GiB when unpacked")
    hidden = ("__MACOSX", ".")
    names = [PurePosixPath(m.filename) for m in archive.infolist() if not m.is_dir()]
    names = [name for name in names if not any(part.startswith(hidden) for part in name.parts)]
    tables = _by_table(str(path), [name for name in names if name.name in _BY_FILE])
    found = {table: members[name] for table, name in tables.items()}
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return OpenSource(
        name=path.name,
        sha256=sha256,
        as_of=max(_date(member) for member in found.values()),
        tables=tuple(found),
        total_bytes=sum(member.file_size for member in found.values()),
        _open=lambda table: cast(BinaryIO, archive.open(found[table])),
    )


def _by_table(label: str, paths: list[PurePosixPath]) -> dict[str, PurePosixPath]:
    found: dict[str, PurePosixPath] = {}
    for path in sorted(paths):
        table = _BY_FILE[path.name]
        if table in found:
            raise SourceError(f"{label}: {path.name} is there twice, as {found[table]} and {path}: keep one")
        found[table] = path
    if not found:
        raise SourceError(f"{label}: none of {', '.join(_BY_FILE)} is in there, at any depth")
    return {table: found[table] for table in TABLES if table in found}


def _unsafe(member: zipfile.ZipInfo) -> str | None:
    name = member.orig_filename.replace("\\", "/")
    if name.startswith("/") or name[1:2] == ":" or ".." in name.split("/") or "\0" in name:
        return "has a path that leads out of the archive"
    if member.flag_bits & 0x1:
        return "is encrypted: unpack it, and give --source the folder"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "is a symbolic link"
    if member.file_size > RATIO_FROM and member.file_size > MAX_RATIO * member.compress_size:
        return f"would unpack to {member.file_size:,} bytes from {member.compress_size:,}, like a zip bomb"
    return None


def _date(member: zipfile.ZipInfo) -> datetime:
    try:
        return datetime(*member.date_time, tzinfo=UTC)
    except ValueError:  # a zip without dates says month 0, and some writers say second 60
        return datetime(1980, 1, 1, tzinfo=UTC)
