"""A data set as it came: a zip archive or a folder with the MovieLens files somewhere in it."""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path, PureWindowsPath
from typing import BinaryIO, cast

from ingest.errors import SourceError
from ingest.schema import TABLES, Table
from ingest.sources.formats import Form, form_of
from ingest.sources.names import is_litter, recognise
from ingest.sources.unpack import DAMAGED, MAX_RATIO, MAX_TOTAL, RATIO_FROM, plain_file

MAX_FILES = 100_000


@dataclass(frozen=True)
class OpenSource:
    """An archive or folder that passed its checks, open for reading.

    `name`, of the archive or folder; `as_of` (UTC), the newest date of any file in an archive (whose dates have no zone
    and are taken as UTC), or of a folder's tables; `files`, the name of the file of each table that is there, in the
    schema's order; `total_bytes`, of these files as they are there; `warnings`, what was left out.
    """

    name: str
    as_of: datetime
    files: dict[str, str]
    total_bytes: int
    warnings: tuple[str, ...]
    _open: Callable[[str], BinaryIO]
    _stats: Mapping[Path, os.stat_result]
    _archive: Path | None = None

    @cached_property
    def sha256(self) -> str | None:
        """Of an archive, read only when it is asked for: it takes seconds; None for a folder."""
        if self._archive is None:
            return None
        try:
            with self._archive.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as problem:
            raise _unreadable(self._archive, problem) from problem

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that are there."""
        return tuple(self.files)

    def table(self, name: str) -> Table:
        """A table with the name that its file has here."""
        return replace(TABLES[name], file=self.files[name])

    def form(self, name: str) -> Form:
        """How a table's file is read."""
        with self.open(name) as stream:
            # of the older releases, ml-10m alone has tags, and is UTF-8
            return form_of(self.table(name), stream, utf8="tags" in self.files)

    def check_unchanged(self) -> None:
        """Raises SourceError for a file that has changed since the source was opened."""
        for path, before in self._stats.items():
            try:
                now = path.stat()
            except OSError as problem:
                raise _unreadable(path, problem) from problem
            if (now.st_ino, now.st_size, now.st_mtime_ns) != (before.st_ino, before.st_size, before.st_mtime_ns):
                raise SourceError(f"{path} changed while it was read: wait until it is whole, and land it then")

    def open(self, table: str) -> BinaryIO:
        """The bytes of a table's file, unpacked; reading raises SourceError where archive or disk is damaged."""
        label = f"{self.name}: {self.files[table]}"
        try:
            return plain_file(self._open(table), self.files[table], label)
        except DAMAGED as problem:
            raise SourceError(f"{label} cannot be opened: {problem}") from problem


@contextmanager
def open_source(path: Path, follow_links: bool = False) -> Iterator[OpenSource]:
    """Opens a local zip or folder; `follow_links`: links may lead out of the folder.

    Raises SourceError if it is neither, holds no table that `ingest.sources.names` recognises, or is not safe to read.
    """
    with ExitStack() as opened:
        try:
            if path.is_dir():
                source = _folder(path, follow_links)
            elif path.is_file():
                source = _archive(path, opened.enter_context(_zip(path)))
            elif path.exists():
                raise SourceError(f"{path} is neither a file nor a folder")
            else:
                raise SourceError(
                    f"{path} does not exist: give --source a MovieLens zip, or a folder with its CSV files"
                )
        except OSError as problem:
            raise _unreadable(path, problem) from problem
        yield source


def _unreadable(path: Path, problem: OSError) -> SourceError:
    return SourceError(f"cannot read {problem.filename or path}: {problem.strerror}")


def _zip(path: Path) -> zipfile.ZipFile:
    with path.open("rb"):  # a file that cannot be read is no damaged archive
        pass
    try:
        return zipfile.ZipFile(path)
    except (*DAMAGED, ValueError) as problem:
        raise SourceError(
            f"{path} is not a zip archive, or a truncated one ({problem}). Download or copy it again, or give "
            "--source the folder with the CSV files"
        ) from problem


def _folder(root: Path, follow_links: bool) -> OpenSource:
    recognised = recognise(str(root), _names_below(root))
    paths = {table: root / name for table, name in recognised.members.items()}
    for path in paths.values():
        if not follow_links and not path.resolve().is_relative_to(root.resolve()):
            raise SourceError(
                f"{path} is a link to {path.resolve()}, out of the folder: copy the file into it, or allow it with --follow-links"
            )
        if not stat.S_ISREG(path.stat().st_mode):
            raise SourceError(f"{path} is not a regular file")
    stats = {path: path.stat() for path in paths.values()}
    return OpenSource(
        name=root.resolve().name,
        as_of=datetime.fromtimestamp(max(found.st_mtime for found in stats.values()), UTC),
        files={table: path.name for table, path in paths.items()},
        total_bytes=sum(found.st_size for found in stats.values()),
        warnings=recognised.warnings,
        _open=lambda table: paths[table].open("rb"),
        _stats=stats,
    )


def _names_below(root: Path) -> list[str]:
    """The files below a folder, through links as well, but each folder and each linked file of the same name once."""
    names: dict[tuple[str, str], str] = {}
    seen: set[str] = set()

    def fail(problem: OSError) -> None:
        raise problem  # a folder that cannot be read may hold a table

    for folder, below, files in os.walk(root, followlinks=True, onerror=fail):
        real = os.path.realpath(folder)
        if real in seen:
            below.clear()
            continue
        seen.add(real)
        below[:] = sorted(name for name in below if not name.startswith((".", "__MACOSX")))
        for name in files:
            path = Path(folder, name)
            names.setdefault((os.path.realpath(path), name), path.relative_to(root).as_posix())
        if len(names) > MAX_FILES:
            raise SourceError(f"{root} holds over {MAX_FILES:,} files: give --source the folder with the CSV files")
    return list(names.values())


def _archive(path: Path, archive: zipfile.ZipFile) -> OpenSource:
    for member in archive.infolist():
        if problem := _unsafe(member):
            raise SourceError(f"{path}: refused, nothing was unpacked: {member.filename!r} {problem}")
    if sum(member.file_size for member in archive.infolist()) > MAX_TOTAL:
        raise SourceError(f"{path}: refused, nothing was unpacked: over {MAX_TOTAL >> 30} GiB when unpacked")
    recognised = recognise(str(path), [m.filename for m in archive.infolist() if not m.filename.endswith(("/", "\\"))])
    found = {table: archive.getinfo(name) for table, name in recognised.members.items()}
    return OpenSource(
        name=path.name,
        as_of=max(_date(each) for each in archive.infolist() if not each.is_dir() and not is_litter(each.filename)),
        files={table: PureWindowsPath(name).name for table, name in recognised.members.items()},
        total_bytes=sum(member.file_size for member in found.values()),
        warnings=recognised.warnings,
        _open=lambda table: cast(BinaryIO, archive.open(found[table])),
        _stats={path: path.stat()},
        _archive=path,
    )


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
