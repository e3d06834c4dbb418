"""The one definition of a good line, and of the reason given for a bad one.

`RULES` says what a value may be. From it follows one pattern per table. `ingest.lines.judge` knows the common rules
once more, for speed, and leaves all others to the pattern. The patterns admit only forms that DuckDB and Snowflake read
to the same value without rounding, trimming or guessing: a typed DuckDB read would take `1.0`, ` 1` or `1e3` for an
integer and round 3.25 to a half star. None may match a line end: a pattern is matched against many lines at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from ingest.schema import Kind, Table

_ZEROS = "0{0,9}"


@dataclass(frozen=True)
class Form:
    """Text that a `pattern` matches, which `says` describes, or nothing where it is `optional`."""

    pattern: str
    says: str
    optional: bool = False


@dataclass(frozen=True)
class Whole:
    """An integer from `low` to `high`, both at least 0, or nothing where it is `optional`."""

    low: int
    high: int
    optional: bool = False
    what: str = "an integer"

    @property
    def pattern(self) -> str:
        """The forms of these numbers."""
        not_below = f"(?!(?:{_at_most(self.low - 1)})(?![0-9]))" if self.low else ""
        return f"{_ZEROS}{not_below}(?:{_at_most(self.high)})"

    @property
    def says(self) -> str:
        """The rule in words."""
        return f"{self.what} from {self.low} to {self.high}"


@dataclass(frozen=True)
class Tenths:
    """A number of `low` to `high` tenths, in steps."""

    low: int
    high: int
    step: int
    what: str
    optional = False

    @property
    def pattern(self) -> str:
        """The forms of these numbers."""
        forms = []
        for whole, tenth in (divmod(tenths, 10) for tenths in range(self.low, self.high + 1, self.step)):
            forms.append(rf"{whole or '0?'}\.{tenth}0{{0,9}}" if tenth else rf"{whole}(?:\.0{{1,9}})?")
        return f"{_ZEROS}(?:{'|'.join(forms)})"

    @property
    def says(self) -> str:
        """The rule in words."""
        return f"{self.what} from {self.low / 10} to {self.high / 10}"


@dataclass(frozen=True)
class Share:
    """A number from 0 to 1 with at most `decimals` digits behind the point."""

    decimals: int
    says = "a number from 0 to 1"
    optional = False

    @property
    def pattern(self) -> str:
        """The forms of these numbers, powers of ten included."""
        some = f"{{1,{self.decimals}}}"
        return "|".join(
            (
                rf"{_ZEROS}(?:0|0?\.[0-9]{some}|1(?:\.0{some})?)",
                rf"[0-9](?:\.[0-9]{some})?[eE]-0?[1-9][0-9]?",
                rf"(?:0(?:\.[0-9]{some})?|1(?:\.0{some})?)[eE][+-]?0{{1,2}}",
            )
        )


Rule = Form | Whole | Tenths | Share
# The only rule that allows quotes inside a value.
TEXT = Form(r'[^",\n]*|"[^"\n]*(?:""[^"\n]*)*"', "text")
RULES: dict[Kind, Rule] = {
    "id": Whole(1, 2**31 - 1),
    "tmdb_id": Whole(1, 2**31 - 1, optional=True),
    "imdb_id": Form("[0-9]{1,18}", "digits only", optional=True),
    # to the end of the year 9999, where both engines' timestamps can still follow
    "timestamp": Whole(0, 253_402_300_799, what="seconds since 1970, an integer"),
    "rating": Tenths(5, 50, 5, "a half star"),
    "relevance": Share(60),
    "gender": Form("F|M", "one of F, M", optional=True),
    "age": Whole(1, 150, optional=True),
    "text": TEXT,
}
_FIELD = re.compile(rf"({TEXT.pattern})(,|\Z)")


def _at_most(highest: int) -> str:
    """The pattern of the integers from 0 to `highest`, written without zeros in front."""
    digits = str(highest)
    shorter = f"[1-9][0-9]{{0,{len(digits) - 2}}}|0" if len(digits) > 1 else "0"
    smaller = (  # the same digits up to a smaller one, then any
        f"|{digits[:at]}[{0 if at else 1}-{int(digit) - 1}][0-9]{{{len(digits) - at - 1}}}"
        for at, digit in enumerate(digits)
        if int(digit) > (0 if at else 1)
    )
    return f"{shorter}{''.join(smaller)}|{digits}"


@cache
def _field_pattern(rule: Rule) -> str:
    if rule == TEXT:
        return f"(?:{rule.pattern})"
    return f'(?:{rule.pattern}|"(?:{rule.pattern})"{"|" if rule.optional else ""})'


def line_pattern(table: Table) -> str:
    """The pattern that the whole of a line must match to be loaded, as text or as UTF-8 bytes."""
    return ",".join(_field_pattern(RULES[column.kind]) for column in table.columns)


def reason(table: Table, line: str) -> str | None:
    """Why a line cannot be loaded into `table`; None if it can."""
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
        rule = RULES[column.kind]
        if not re.fullmatch(_field_pattern(rule), value):
            shown = value if len(value) <= 40 else f"{value[:40]}…"
            return f"{column.source} {shown!r} is not {'empty or ' if rule.optional else ''}{rule.says}"
    return None
