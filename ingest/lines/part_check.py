"""DuckDB's view of a part: how many of its lines cannot be loaded, and which."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import duckdb

from ingest.errors import IngestError
from ingest.lines.part_files import LocalPart
from ingest.lines.rules import line_pattern
from ingest.schema import Table


class PartCheck(AbstractContextManager["PartCheck"]):
    """An in-memory DuckDB that reads parts with all cores; needs no extension and no network."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(
            ":memory:", config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}
        )

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def bad_rows(self, table: Table, part: LocalPart) -> int:
        """How many lines do not match the table's pattern; free text is also read as the load reads it.

        Raises IngestError if DuckDB sees other rows in the part than were written.
        """
        [(rows, bad)] = self._read(
            part, f"select count(*), count_if(not {_good(table)}) from {_lines(part)}"
        ).fetchall()
        if not bad and table.has_text:
            columns = ", ".join(f"'{column.source}': '{column.type}'" for column in table.columns)
            read = _read_csv(part, columns, """delim = ',', quote = '"', escape = '"'""")
            [(rows, *_)] = self._read(part, f"select count(*), max(columns(*)) from {read}").fetchall()
        if rows != part.rows:
            raise IngestError(f"{part.path}: DuckDB reads {rows:,} rows, but {part.rows:,} were written")
        return int(bad)

    def find_bad_rows(self, table: Table, part: LocalPart) -> Iterator[tuple[int, str]]:
        """The bad lines of a part in order, each with its row, counted from 0."""
        numbered = f"select row_number() over () - 1 as row, line from {_lines(part)}"
        cursor = self._read(part, f"select row, line from ({numbered}) where not {_good(table)}")
        while batch := cursor.fetchmany(10_000):
            yield from batch

    def rows_until(self, table: Table, part: LocalPart, timestamp: int) -> int:
        """How many good lines of a table whose last column is a timestamp are not later than `timestamp`."""
        time = "try_cast(regexp_extract(line, '([0-9]+)\"?\\z', 1) as bigint)"
        query = f"select count(*) from {_lines(part)} where {_good(table)} and {time} <= {timestamp}"
        return int(self._read(part, query).fetchall()[0][0])

    def _read(self, part: LocalPart, query: str) -> Any:
        try:
            return self._connection.cursor().execute(query)
        except duckdb.Error as problem:
            raise IngestError(f"DuckDB cannot read back {part.path}: {problem}") from problem


def _good(table: Table) -> str:
    return f"regexp_full_match(line, {_literal(line_pattern(table))})"


def _lines(part: LocalPart) -> str:
    # No line of a part holds a carriage return: as the delimiter it makes one column of every line.
    return _read_csv(part, "'line': 'varchar'", "delim = '\r', quote = '', escape = ''")


def _read_csv(part: LocalPart, columns: str, options: str) -> str:
    return (
        f"read_csv({_literal(glob.escape(str(part.path)))}, columns = {{{columns}}}, auto_detect = false, "
        f"header = true, compression = 'zstd', strict_mode = true, {options})"
    )


def _literal(text: str) -> str:
    # Bound parameters make the DuckDB client import pandas, 1 s or more: hence literals.
    return "'" + text.replace("'", "''") + "'"
