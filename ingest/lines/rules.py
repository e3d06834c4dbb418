"""What a line must look like to be loaded, and why another is not.

One pattern per table decides, for RE2 (DuckDB, all lines) and for `re` (one line) alike. It admits only forms
that DuckDB and Snowflake read to the same value without rounding, trimming or guessing: a typed DuckDB read
would take `1.0`, ` 1` or `1e3` for an integer and round 3.25 to a half star.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from ingest.lines.reader import MARK
from ingest.schema import Column, Kind, Table

REJECTED_HEADER = ("table_name", "file", "line", "reason", "raw_line")
_ZEROS = "0{0,9}"


def _positive(limit: int) -> str:
    digits = str(limit)
    rest = len(digits) - 1
    forms = [digits, f"[1-9][0-9]{{0,{rest - 1}}}"]
    for place, digit in enumerate(digits):
        lowest = 1 if place == 0 else 0
        if int(digit) > lowest:
            forms.append(f"{digits[:place]}[{lowest}-{int(digit) - 1}][0-9]{{{rest - place}}}")
    return f"{_ZEROS}(?:{'|'.join(forms)})"


_ID = _positive(2**31 - 1)
_LAST_SECOND = 253_402_300_799  # of the year 9999, where both engines' timestamps can still follow
_RELEVANCE = "|".join(
    (
        rf"{_ZEROS}(?:0|0?\.[0-9]{{1,60}}|1(?:\.0{{1,60}})?)",
        r"[0-9](?:\.[0-9]{1,60})?[eE]-0?[1-9][0-9]?",
        r"(?:0(?:\.[0-9]{1,60})?|1(?:\.0{1,60})?)[eE][+-]?0{1,2}",
    )
)
_TEXT = r'[^",]*|"[^"]*(?:""[^"]*)*"'
_DOMAIN: dict[Kind, tuple[str, str]] = {
    "id": (_ID, "an integer from 1 to 2147483647"),
    "tmdb_id": (_ID, "empty or an integer from 1 to 2147483647"),
    "imdb_id": ("[0-9]{1,18}", "empty or digits only"),
    "timestamp": (
        f"0{{1,10}}|{_positive(_LAST_SECOND)}",
        f"seconds since 1970, an integer from 0 to {_LAST_SECOND}",
    ),
    "rating": (
        rf"{_ZEROS}(?:0?\.50{{0,9}}|[1-4](?:\.[05]0{{0,9}})?|5(?:\.0{{1,9}})?)",
        "a half star from 0.5 to 5.0",
    ),
    "relevance": (_RELEVANCE, "a number from 0 to 1"),
}
_OPTIONAL: frozenset[Kind] = frozenset({"tmdb_id", "imdb_id"})
_FIELD = re.compile(rf"({_TEXT})(,|\Z)")


@dataclass(frozen=True)
class Rejected:
    """A quarantined line: its `file` and `line` number there, why, and the line itself."""

    table: str
    file: str
    line: int
    reason: str
    raw_line: str

    @property
    def where(self) -> str:
        """File, line and reason, for people."""
        return f"{self.file}:{self.line}: {self.reason}"


def _field_pattern(column: Column) -> str:
    if column.kind == "text":
        return f"(?:{_TEXT})"
    value = _DOMAIN[column.kind][0]
    return f'(?:{value}|"(?:{value})"{"|" if column.kind in _OPTIONAL else ""})'


@cache
def line_pattern(table: Table) -> str:
    """The pattern that the whole of a line must match to be loaded; the same for RE2 and `re`."""
    return ",".join(_field_pattern(column) for column in table.columns)


def reason(table: Table, line: str) -> str | None:
    """Why `line` (as `ingest.lines.reader` gives it) cannot be loaded into `table`, or None if it can."""
    if line.startswith(MARK):
        return line.split(MARK, 2)[1]
    fields: list[str] = []
    at = 0
    while True:
        field = _FIELD.match(line, at)
        if field is None:
            kind = "an unbalanced" if line.count('"') % 2 else "a stray"
            return f"{kind} quote in field {len(fields) + 1}"
        fields.append(field[1])
        at = field.end()
        if not field[2]:
            break
    if len(fields) != len(table.columns):
        return f"{len(fields)} field{'s' if len(fields) > 1 else ''} instead of {len(table.columns)}"
    for column, value in zip(table.columns, fields, strict=True):
        if not re.fullmatch(_field_pattern(column), value):
            shown = value if len(value) <= 40 else f"{value[:40]}…"
            return f"{column.source} {shown!r} is not {_DOMAIN[column.kind][1]}"
    return None


def rejected(table: Table, line_number: int, line: str) -> Rejected:
    """The record of a line that does not match its table's pattern."""
    why = reason(table, line) or f"does not fit the columns {table.header}"
    return Rejected(table.name, table.file, line_number, why, line.split(MARK, 2)[2] if line.startswith(MARK) else line)


def as_csv(rows: Iterable[Rejected]) -> bytes:
    """The records as CSV lines under `REJECTED_HEADER`; fields are quoted where needed, quotes doubled."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        (row.table, row.file, row.line, row.reason, row.raw_line) for row in rows
    )
    return text.getvalue().encode()
