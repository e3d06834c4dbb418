"""Lines that cannot be loaded are set aside, with their line number and the reason, and never lost silently."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ingest.errors import QuarantineError
from ingest.lines.part_files import PartWriter
from ingest.lines.reader import Block, Lines
from ingest.text import cell

REPORTED = 100_000
_SHOWN = 3


class Rejected(NamedTuple):
    """A quarantined line, as the rejected parts have it: `raw_line` is what stands in `file` at that line number."""

    table_name: str
    file: str
    line: int
    reason: str
    raw_line: str


def as_csv(records: Iterable[Rejected]) -> bytes:
    """The records as CSV lines, without a header; fields are quoted where needed, quotes doubled."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(records)
    return text.getvalue().encode()


@dataclass
class Quarantine:
    """The lines of one file that are set aside.

    `parts` take them, and those of the batch's other files; `report` is a list of the first ones for people; `rows` is
    their number; `shown`, the first few with the reason.
    """

    lines: Lines
    parts: PartWriter
    report: Path
    rows: int = 0
    shown: list[str] = field(default_factory=list)

    def add(self, block: Block, bad: Sequence[int]) -> None:
        """Sets rows of a block aside; `bad` are their numbers in it, from 0."""
        records = self._records(block, bad)
        while some := list(islice(records, 10_000)):
            self.shown += [f"  {r.file}:{r.line}: {r.reason}" for r in some[: _SHOWN - len(self.shown)]]
            with self.report.open("ab") as report:
                if not self.rows:
                    report.write(f"{','.join(Rejected._fields)}\n".encode())
                listed = some[: max(0, REPORTED - self.rows)]
                report.write(as_csv(record._replace(raw_line=cell(record.raw_line)) for record in listed))
            self.parts.write(as_csv(some), len(some), self.parts.rows + 1)
            self.rows += len(some)

    def _records(self, block: Block, bad: Sequence[int]) -> Iterator[Rejected]:
        table, source = self.lines.table, block.source.split(b"\n")
        for row in bad:
            why = self.lines.reason(source[row]) or f"does not fit the columns {table.header}"
            line = self.lines.line_of(block.first_row + row)
            yield Rejected(table.name, table.file, line, why, self.lines.shown(source[row]))

    def summary(self) -> list[str]:
        """How many rows, and the first few of them; nothing where there is none."""
        total = f"{self.lines.table.file}: {self.rows:,} of {self.lines.rows:,} rows rejected"
        return [total, *self.shown] if self.rows else []

    def check(self, allowed: float, folder: Path) -> None:
        """Raises QuarantineError for more than the share of rows that is `allowed`; `folder` keeps the list of them."""
        table, bad, rows = self.lines.table, self.rows, self.lines.rows
        if bad <= allowed * rows:
            return
        folder.mkdir(parents=True, exist_ok=True)
        kept = shutil.move(self.report, folder / f"{table.name.replace('_', '-')}-rejected.csv")
        which = "All of them" if bad <= REPORTED else f"The first {REPORTED:,}"
        first = "\n".join(self.shown)
        raise QuarantineError(
            f"{table.file}: {bad:,} of {rows:,} rows ({bad / rows:.2%}) cannot be loaded, more than the {allowed:.2%} "
            f"allowed; nothing was landed.\n{first}\n{which}: {kept}\n"
            f"Repair the file, or allow more with --max-rejected (a share, such as {min(1.0, 1.5 * bad / rows):.2g})"
        )
