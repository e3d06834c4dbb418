"""What a gate says: passed or not, and every finding in words; and how a person sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from expectations.checks import Check, Severity

ROWS_SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """A check that failed: on which batch, what was observed and expected, why that, and rows that show it."""

    severity: Severity
    batch_id: str
    subject: str
    observed: str
    expected: str
    why: str
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """A gate's outcome on some batches: `passed` unless a finding is an error; how many checks had a value to judge."""

    batches: tuple[str, ...]
    evaluated: int
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether nothing stops the run."""
        return not self.of("error")

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings of a severity."""
        return tuple(finding for finding in self.findings if finding.severity == severity)

    def summary(self) -> str:
        """The outcome in one line."""
        counts = [f"{self.evaluated} checks"]
        for found, word in ((self.of("error"), "failed"), (self.of("warning"), "warned")):
            if found:
                counts.append(f"{len(found)} {word} (first: {found[0].subject})")
        return ", ".join(counts)

    def tables(self) -> Iterator[RenderableType]:
        """The findings as a table, errors first, with reasons and rows below it; nothing when there are none."""
        if not self.findings:
            return
        findings = (*self.of("error"), *self.of("warning"))
        batches = ", ".join(sorted({finding.batch_id for finding in findings}))
        table = Table(title=f"gate: findings in batch {batches}", title_justify="left", box=box.SIMPLE_HEAD)
        for name in ("", "batch", "what", "observed", "expected"):
            table.add_column(name, overflow="fold")
        for finding in findings:
            table.add_row(
                "[red]error[/]" if finding.severity == "error" else "[yellow]warn[/]",
                *map(escape, (finding.batch_id, finding.subject, finding.observed, finding.expected)),
            )
        yield table
        explained: set[tuple[str, str]] = set()
        for finding in findings:
            if (finding.subject, finding.why) not in explained:
                yield Padding(f"[bold]{escape(finding.subject)}[/]: {escape(finding.why)}", (0, 0, 0, 2))
                yield from (Padding(escape(row), (0, 0, 0, 6)) for row in finding.rows)
            explained.add((finding.subject, finding.why))


def amount(number: Any, name: str | None) -> str:
    """A number as a person writes it: a share as a percentage, seconds since 1970 as a day."""
    if name == "timestamp" and 0 <= number < 253_402_300_800:  # the year 10000
        return f"{datetime.fromtimestamp(number, UTC):%Y-%m-%d}"
    if "share" in (name or "").split("_"):
        return f"{number:.2%}" if 0 < abs(number) < 0.1 else f"{number:.1%}"
    return f"{number:,.3f}".rstrip("0").rstrip(".")


def wanted(check: Check) -> str:
    """What a check expects, as a person writes it."""
    low, high = (None if bound is None else amount(bound, check.column) for bound in (check.min_value, check.max_value))
    if low and high:
        return low if low == high else f"{low} to {high}"
    if "threshold" in check.arguments:
        return f"at most {check.arguments['threshold']}"
    if high:
        return "none" if check.max_value == 0 else f"at most {high}"
    if low:
        return f"at least {low}"
    given = (f"{name} {value}" for name, value in check.arguments.items() if name not in ("column", "row_condition"))
    return f"{check.expectation} {', '.join(given)}".rstrip()


def first_line(error: Exception) -> str:
    """What an error of a driver says, without statement and background."""
    return str(getattr(error, "orig", None) or error).strip().split("\n")[0][:400]


def as_text(row: dict[str, Any]) -> str:
    """A row that shows a failure, in one line."""
    return ", ".join(f"{name.lower()} {'–' if cell is None else cell}" for name, cell in row.items())
