"""A DuckDB warehouse is a file: a run changes a copy of it, and one rename publishes the copy.

An open reader keeps the file that it opened, a new one gets the newest published file, and nobody waits.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager
from pathlib import Path

import duckdb

from profiles.environment import also
from profiles.errors import PipelineError

_FOREIGN = "{} is not a DuckDB database, so it is left alone. Set MOVIELENS_WAREHOUSE to another file."


class InUse(PipelineError):
    """Another program has the file open, and writes to it."""


def connect(path: Path, *, read_only: bool = True) -> duckdb.DuckDBPyConnection:
    """A connection to a warehouse file; raises `PipelineError` for one that is not there, `InUse` or damaged."""
    if read_only and not path.exists():
        raise PipelineError(f"there is no warehouse at {path} yet: run `nox -s dev` first.")
    try:
        return duckdb.connect(str(path), read_only=read_only)
    except duckdb.Error as error:
        in_use = isinstance(error, duckdb.IOException) and "could not set lock" in str(error).lower()
        raise (InUse if in_use else PipelineError)(explain(path, error)) from None


class WarehouseFile:
    """The published file, and the copy of it that a run works on: `work/<same name>` beside it.

    The names are the same because views hold the catalog's name, which DuckDB takes from the file's. A copy that was
    not published stays until the next one is made.
    """

    def __init__(self, published: Path) -> None:
        self.published = published.resolve()  # what a link leads to is replaced, and not the link
        self.copy = self.published.parent / "work" / self.published.name
        self._known = self.published.with_suffix(".published.json")
        self._origin = ""

    @contextmanager
    def worked_on(self) -> Iterator[None]:
        """Leads dbt and Great Expectations to the copy; raises `PipelineError` where its folder cannot be made."""
        folder = self.copy.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PipelineError(
                f"{folder}, where a run works on a copy of the warehouse, cannot be made: {error.strerror}. Make "
                f"{folder.parent} writable, or set MOVIELENS_WAREHOUSE to a file elsewhere."
            ) from None
        with also(MOVIELENS_WAREHOUSE=str(self.copy)), for_dbt(self.copy):
            yield

    def check(self) -> None:
        """Reads all of a published file unless it is as the last run left it: a damaged block shows only when read.

        Raises `PipelineError` for one that is damaged; what somebody has written to it with DuckDB is no damage.
        """
        with contextlib.suppress(OSError):
            if self._known.read_text() == self._identity():
                return
        if not self.published.exists():
            return
        try:
            with connect(self.published) as connection:
                tables = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
                for schema, table in tables:
                    connection.execute(f'select max(hash(rows)) from "{schema}"."{table}" as rows')
        except duckdb.Error as error:
            raise PipelineError(explain(self.published, error)) from None
        self._remember()

    def begin(self, *, empty: bool = False) -> None:
        """Makes the copy, or, with `empty`, only the place for a new file.

        Raises `PipelineError` when somebody writes to the published file, when that is no warehouse, or when the disk
        has no space for a second one.
        """
        if _is_foreign(self.published):
            raise PipelineError(_FOREIGN.format(self.published))
        try:
            for path in (self.copy, *_logs(self.copy)):
                path.unlink(missing_ok=True)
            if self.copy.parent.stat().st_dev != self.published.parent.stat().st_dev:
                raise PipelineError(
                    f"{self.copy.parent} and {self.published.parent} are on different file systems: a run's result is put in "
                    f"place by one rename, which needs them on one. Remove the link or mount {self.copy.parent}."
                )
            with self._held():
                self._origin = self._identity()
                if self.published.exists() and not empty:
                    for path in (self.published, *_logs(self.published)):
                        copy_file(path, self.copy.with_name(path.name))
        except OSError as error:
            raise PipelineError(
                f"{self.copy} cannot be written: {error.strerror}. A run works on a copy of the warehouse: it needs the "
                f"space of {self.published} twice."
            ) from None

    def publish(self) -> None:
        """Puts the copy in the place of the published file.

        Raises `PipelineError` when somebody else wrote to that since `begin`, or replaced it. One that was deleted is
        no reason: its successor is the copy.
        """
        try:
            with duckdb.connect(str(self.copy)) as connection:
                connection.execute("force checkpoint")
            _sync(self.copy)
            with self._held():
                if self.published.exists() and self._identity() != self._origin:
                    raise PipelineError(
                        f"{self.published} was written to or replaced by somebody else during this run, so it was not "
                        f"published over. Run again to apply the same batches to what is there now."
                    )
                # A log that a killed writer left belongs to the file that goes, and the copy has taken it in.
                for path in _logs(self.published):
                    path.unlink()
                self.copy.replace(self.published)
            _sync(self.published.parent)
            self._remember()
        except (OSError, duckdb.Error) as error:
            reason = str(error).splitlines()[0]
            raise PipelineError(f"{self.published} cannot be replaced by {self.copy}: {reason}") from None

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Keeps writers off the published file; readers are welcome. One that cannot be read needs no keeping."""
        with ExitStack() as held:
            try:
                held.enter_context(connect(self.published))
            except InUse:
                raise
            except PipelineError:
                pass
            yield

    def _identity(self) -> str:
        """Changes whenever somebody writes to the published file, or puts another in its place."""
        found = []
        for path in (self.published, *_logs(self.published)):
            with contextlib.suppress(FileNotFoundError):
                stat = path.stat()
                found.append((path.name, stat.st_ino, stat.st_size, stat.st_mtime_ns))
        return json.dumps(found)

    def _remember(self) -> None:
        with contextlib.suppress(OSError):  # then all of it is read once more
            self._known.write_text(self._identity())


@contextmanager
def for_dbt(path: Path) -> Iterator[None]:
    """Leads dbt to a file by its name alone: dbt-duckdb takes a path for a URL, which ends at some characters."""
    with chdir(path.parent), also(MOVIELENS_DBT_PATH=path.name):
        yield


def explain(path: Path, error: Exception) -> str:
    """DuckDB's error about a file in words: another program has it, or it is damaged; and what to do."""
    if _is_foreign(path):
        return _FOREIGN.format(path)
    first = str(error).splitlines()[0]
    if "could not set lock" in first.lower():
        holder = first.partition("(")[2].partition(")")[0]
        return f"{path} is open in another program ({holder or first}): close it and run again."
    return (
        f"{path} cannot be read: {first} It is disposable: `nox -s dev -- --rebuild` builds it again from the landed "
        f"batches."
    )


def _is_foreign(path: Path) -> bool:
    """Whether a file is neither a DuckDB database nor, damaged, what a run published."""
    if not path.exists() or path.with_suffix(".published.json").exists():
        return False
    with path.open("rb") as file:
        head = file.read(12)
    return bool(head) and head[8:] != b"DUCK"


def _logs(path: Path) -> list[Path]:
    """DuckDB's write-ahead logs of a file: what a killed writer had committed and not yet put into it."""
    return sorted(path.parent.glob(f"{path.name}.wal*"))


def copy_file(source: Path, target: Path) -> None:
    """Copies within the kernel, which shares the blocks where the file system can."""
    if hasattr(os, "copy_file_range"):
        with contextlib.suppress(OSError), open(source, "rb") as read, open(target, "wb") as write:
            while os.copy_file_range(read.fileno(), write.fileno(), 1 << 30):
                pass
            return
    shutil.copyfile(source, target)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
