"""DuckDB's view of a part: how many of its lines cannot be loaded, and which."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import duckdb

from ingest.errors import IngestError
from ingest.lines.part_files import LocalPart
from ingest.lines.rules import line_pattern
from ingest.schema import Table

# No line of a part holds a carriage return: as the delimiter it makes one column of every line.
_LINES = (
    "read_csv($path, columns = {'line': 'VARCHAR'}, auto_detect = false, header = true, "
    "compression = 'zstd', delim = '\r', quote = '', escape = '', strict_mode = true)"
)


class PartCheck:
    """An in-memory DuckDB that reads parts with all cores; needs no extension and no network."""

    def __enter__(self) -> PartCheck:
        self._connection = duckdb.connect(
            ":memory:",
            config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"},
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def bad_rows(self, table: Table, part: LocalPart) -> int:
        """How many lines do not match the table's pattern; free text is also read as the load reads it.

        Raises IngestError if DuckDB sees other rows in the part than were written.
        """
        rows, bad = self._one(
            f"select count(*), count_if(not regexp_full_match(line, $pattern)) from {_LINES}",
            path=_path(part),
            pattern=line_pattern(table),
        )
        if not bad and table.has_text:
            columns = ", ".join(f"'{column.source}': '{column.type}'" for column in table.columns)
            rows, *_ = self._one(
                f"select count(*), max(columns(*)) from read_csv($path, columns = {{{columns}}}, "
                "auto_detect = false, header = true, compression = 'zstd', delim = ',', quote = '\"', "
                "escape = '\"', strict_mode = true)",
                path=_path(part),
            )
        if rows != part.rows:
            raise IngestError(f"{part.path}: DuckDB reads {rows:,} rows, but {part.rows:,} were written")
        return int(bad)

    def find_bad_rows(self, table: Table, part: LocalPart) -> Iterator[tuple[int, str]]:
        """The bad lines of a part in order, each with its row, counted from 0."""
        numbered = f"select row_number() over () - 1 as row, line from {_LINES}"
        query = f"select row, line from ({numbered}) where not regexp_full_match(line, $pattern)"
        cursor = self._execute(query, path=_path(part), pattern=line_pattern(table))
        while batch := cursor.fetchmany(10_000):
            yield from batch

    def rows_until(self, table: Table, part: LocalPart, timestamp: int) -> int:
        """How many good lines of a table whose last column is a timestamp are not later than `timestamp`."""
        (rows,) = self._one(
            f"select count(*) from {_LINES} where regexp_full_match(line, $pattern) "
            "and try_cast(regexp_extract(line, '([0-9]+)\"?\\z', 1) as bigint) <= $timestamp::bigint",
            path=_path(part),
            pattern=line_pattern(table),
            timestamp=timestamp,
        )
        return int(rows)

    def _one(self, query: str, **values: object) -> tuple[Any, ...]:
        return self._execute(query, **values).fetchall()[0]

    def _execute(self, query: str, **values: object) -> duckdb.DuckDBPyConnection:
        # Bound parameters make the DuckDB client import pandas, 1 s or more: hence literals.
        literals = {f"${name}": "'" + str(value).replace("'", "''") + "'" for name, value in values.items()}
        query = re.sub(r"\$[a-z]+", lambda name: literals[name[0]], query)
        try:
            return self._connection.cursor().execute(query)
        except duckdb.Error as problem:
            raise IngestError(f"DuckDB cannot read back {values['path']}: {problem}") from problem


def _path(part: LocalPart) -> str:
    return glob.escape(str(part.path))
