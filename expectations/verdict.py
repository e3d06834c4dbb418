"""What a gate says: passed or not, and every finding in words; how it travels between processes, and how it looks."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from rich.markup import escape
from rich.table import Table

from expectations.measure import Band, Severity, Unit


@dataclass(frozen=True)
class Failure:
    """A finding: what was expected of which relation, what was observed instead, rows that show it, and the batch."""

    severity: Severity
    relation: str
    expectation: str
    observed: str
    expected: str
    rows: tuple[str, ...]
    batch_id: str


@dataclass(frozen=True)
class Verdict:
    """A stage's outcome: `passed` unless a finding is an error; `evaluated` expectations; `seconds` it took."""

    stage: str
    passed: bool
    evaluated: int
    failures: tuple[Failure, ...]
    seconds: float

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, line: str) -> Verdict:
        """The verdict that a line holds; raises ValueError when it holds none."""
        try:
            fields = json.loads(line)
            failures = tuple(Failure(**{**failure, "rows": tuple(failure["rows"])}) for failure in fields["failures"])
            return cls(**{**fields, "failures": failures})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a verdict: {line[:200]}") from error

    def of(self, severity: Severity) -> tuple[Failure, ...]:
        """The findings of a severity."""
        return tuple(failure for failure in self.failures if failure.severity == severity)

    def summary(self) -> str:
        """The outcome in one line."""
        counts = [f"{self.evaluated} expectations"]
        for severity, word in (("error", "failed"), ("warning", "warned")):
            if found := self.of(severity):  # type: ignore[arg-type]
                first = found[0]
                counts.append(f"{len(found)} {word} (first: {first.relation}: {first.expectation})")
        return ", ".join(counts)

    def tables(self) -> tuple[Table, ...]:
        """The findings as one table, errors first; none when there is nothing to tell."""
        if not self.failures:
            return ()
        batches = sorted({failure.batch_id for failure in self.failures})
        table = Table(
            title=f"{self.stage} gate: look at batch {', '.join(batches)}", title_justify="left", show_lines=True
        )
        for name in ("", "relation", "expectation", "observed", "expected", "rows that show it"):
            table.add_column(name, overflow="fold")
        for failure in (*self.of("error"), *self.of("warning")):
            table.add_row(
                "[red]error[/]" if failure.severity == "error" else "[yellow]warn[/]",
                *map(escape, (failure.relation, failure.expectation, failure.observed, failure.expected)),
                escape("\n".join(failure.rows)),
            )
        return (table,)


def amount(number: float, unit: Unit) -> str:
    """A number as a person writes it."""
    if unit == "share":
        return f"{number:.2%}" if 0 < abs(number) < 0.1 else f"{number:.1%}"
    if unit in ("times", "number", "stars"):
        plain = f"{number:,.3f}".rstrip("0").rstrip(".")
        return f"{plain}{' stars' if unit == 'stars' else ' times' if unit == 'times' else ''}"
    plain = f"{number:,.1f}".removesuffix(".0")
    return f"{plain} {unit}"


def wanted(band: Band, unit: Unit) -> str:
    """A band as a person writes it."""
    if band.low is None and band.high is None:
        return "anything"
    if band.low is None:
        return "none" if band.high == 0 else f"at most {amount(band.high or 0, unit)}"
    if band.high is None:
        return f"at least {amount(band.low, unit)}"
    if band.low == band.high:
        return f"exactly {amount(band.low, unit)}"
    return f"{amount(band.low, unit)} to {amount(band.high, unit)}"
