"""The rules of `dialect.py`: what Snowflake lacks, or does otherwise than DuckDB, each with a reason and a cure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlglot import Expr, exp


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


@dataclass(frozen=True)
class Rule:
    """Why a form is wrong, what to write instead, and the `pattern` that finds it where a pattern is enough."""

    reason: str
    cure: str
    pattern: str = ""


RULES = {
    "syntax": Rule("Snowflake's grammar does not parse it", "read the message; compare with Snowflake's reference"),
    "function": Rule(
        "Snowflake has no such function",
        "use one of snowflake_functions.txt, or a dispatch macro; a name belongs there only with its page",
    ),
    "type": Rule("Snowflake has no such type, or means another one by it", "number(p, s), varchar, timestamp_ntz, …"),
    "backslash": Rule(
        "a backslash escapes in '…': '\\d' reaches a regular expression as d", "a class such as [0-9], or $$…$$"
    ),
    "regex": Rule("Snowflake knows POSIX: no non-greedy quantifier, no (?…)", "a negated class, such as [^)]*"),
    "regex-flags": Rule(
        "the fourth argument of regexp_replace is a position", "leave it out: all matches are replaced"
    ),
    "quoted-name": Rule("a quoted name keeps its case, an unquoted one is upper case", "write names without quotes"),
    "order-of-nulls": Rule("desc puts nulls first, on DuckDB last", "write nulls first or nulls last"),
    "order-of-listagg": Rule("the order of the items is not defined", "within group (order by …)"),
    "order-of-window": Rule(
        "Snowflake refuses it without an order, or the order is not defined", "over (… order by a full key)"
    ),
    "division": Rule("division by zero is an error, on DuckDB null or infinity", "nullif(…, 0) around the divisor"),
    "now": Rule("it follows the session's time zone", "sysdate(), or convert_timezone('UTC', current_timestamp())"),
    "week": Rule("it follows WEEK_START and WEEK_OF_YEAR_POLICY", "dayofweekiso(), weekiso(), yearofweekiso()"),
    "timestamp": Rule("TIMESTAMP is what TIMESTAMP_TYPE_MAPPING says", "timestamp_ntz or datetime"),
    "epoch": Rule("whole seconds, on DuckDB with a fraction", "date_part('epoch_second' or 'epoch_microsecond', …)"),
    "array": Rule(
        "an ARRAY of variants with a first index of 0, on DuckDB a typed list from 1", "array_construct, or rows"
    ),
    "struct": Rule("Snowflake makes an OBJECT of it", "object_construct, or columns"),
    "lambda": Rule("lambdas exist in filter, transform and reduce alone", "lateral flatten, or one of these"),
    "aggregate-filter": Rule("there is no filter (where …)", "count_if(…), or sum(iff(…, x, null))"),
    "distinct-on": Rule("there is no distinct on", "qualify row_number() over (…) = 1"),
    "time-zone": Rule("there is no at time zone", "convert_timezone('UTC', …)"),
    "integer-division": Rule("// starts a comment", "floor(a / b)", ""),
    "interval": Rule("an interval's amount is text", "interval '1 day', or dateadd", r"\binterval\s+\d"),
    "limit": Rule("a limit is a number of rows", "sample, or qualify", r"\blimit\s+[\d.]+\s*(%|percent\b)"),
    "operator": Rule(
        "Snowflake has no such operator",
        "= for ==, power for **, regexp_like for ~, startswith for ^@, bitand for &, get_path for ->",
        r"==|\*\*|!~|(?<![<>!=|&*])~|\^@|(?<!&)&(?!&)|<<|->>?(?!\s*[(a-z_])|\^|(?<!:):=|\bglob\b|\bsimilar\s+to\b",
    ),
    "join": Rule(
        "Snowflake has no such join",
        "exists, not exists, or a join on row_number",
        r"\b(semi|anti|positional)\s+join\b",
    ),
    "from-first": Rule("a query starts with select", "select * from …", r"(?:\A|[(;])\s*from\b(?!\s*@)"),
    "columns": Rule("Snowflake has no columns(…) in a select", "name the columns", r"\bcolumns\s*\("),
    "sample": Rule("there is no using sample", "sample (10)", r"\busing\s+sample\b"),
    "upsert": Rule(
        "there is no on conflict, no insert or replace, no returning",
        "merge",
        r"\bon\s+conflict\b|\binsert\s+or\s+|\breturning\b",
    ),
    "statement": Rule(
        "a statement of DuckDB's",
        "none: Snowflake has no need of it",
        r"(?:\A|;)\s*(pragma|attach|detach|install|load|summarize|checkpoint|export|import)\b|\bcreate\s+(or\s+replace\s+)?(temp(orary)?\s+)?macro\b",
    ),
    "number": Rule("digits are not grouped", "1000000", r"(?<![\w.])\d+_\d"),
    "ordinality": Rule("there is no with ordinality", "flatten's index", r"\bwith\s+ordinality\b"),
}

TYPES = words(
    """
    NUMBER DECIMAL DEC NUMERIC INT INTEGER BIGINT SMALLINT TINYINT BYTEINT FLOAT FLOAT4 FLOAT8 DOUBLE REAL DECFLOAT
    VARCHAR CHAR CHARACTER NCHAR STRING TEXT NVARCHAR NVARCHAR2 BINARY VARBINARY BOOLEAN DATE DATETIME TIME TIMESTAMP
    TIMESTAMP_NTZ TIMESTAMP_LTZ TIMESTAMP_TZ TIMESTAMPNTZ TIMESTAMPLTZ TIMESTAMPTZ VARIANT OBJECT ARRAY MAP GEOGRAPHY
    GEOMETRY VECTOR FILE
    """
)
_Type = exp.DataType.Type
_FOREIGN = words(
    """
    UBIGINT UINT USMALLINT UTINYINT UMEDIUMINT INT128 INT256 UINT128 UINT256 LIST STRUCT UUID ENUM INTERVAL HUGEINT
    UHUGEINT BLOB TIMESTAMP_S TIMESTAMP_MS TIMESTAMP_NS BIT JSON JSONB USERDEFINED UNKNOWN SERIAL BIGSERIAL UNION
    """
)
_FOREIGN_TYPES = {member for name in _FOREIGN if (member := getattr(_Type, name, None))}
_ORDERED = re.compile(
    r"row_number|rank|dense_rank|lag|lead|ntile|first_value|last_value|nth_value|cume_dist|percent_rank", re.I
)
_CLOCKS = (exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime, exp.Localtimestamp, exp.Localtime)
WEEK_FUNCTIONS = frozenset(("DAYOFWEEK", "WEEK", "WEEKOFYEAR", "YEAROFWEEK"))
_WEEKS = re.compile(r"dayofweek|day_of_week|dow|weekday|week|weekofyear|woy|wy|yearofweek", re.I)
_REGEX = re.compile(r"[*+?}]\?|\(\?")


@dataclass(frozen=True)
class Finding:
    """A rule that a line breaks, with the text that breaks it."""

    rule: str
    line: int
    text: str
    file: str = ""

    def in_file(self, file: str) -> Finding:
        """The same, in a file."""
        return replace(self, file=file)

    def __str__(self) -> str:
        rule = RULES[self.rule]
        return f"{self.file}:{self.line}: [{self.rule}] {self.text}: {rule.reason}. Instead: {rule.cure}"


def tree_findings(tree: Expr) -> list[Finding]:
    """What the syntax tree of a statement shows."""
    if isinstance(tree, exp.Command) and re.match(r"(with|select|insert|merge|update|delete)\b", tree.this, re.I):
        return [Finding("syntax", 1, tree.sql()[:80])]
    return [
        Finding(rule, _line(node), node.sql(dialect="snowflake")[:80]) for node in tree.walk() for rule in _broken(node)
    ]


def _broken(node: Expr) -> Iterator[str]:
    if isinstance(node, exp.DataType):
        if node.this in _FOREIGN_TYPES or (node.this == _Type.ARRAY and node.expressions):
            yield "type"
        if node.this == _Type.TIMESTAMP:
            yield "timestamp"
    elif (
        isinstance(node, (exp.Div, exp.Mod, exp.IntDiv)) and not _cannot_be_zero(node.expression) and not _is_div0(node)
    ):
        yield "division"
    elif isinstance(node, exp.Lambda) and not isinstance(node.parent, (exp.ArrayFilter, exp.Transform, exp.Reduce)):
        yield "lambda"
    elif isinstance(node, exp.Filter):
        yield "aggregate-filter"
    elif isinstance(node, exp.Distinct) and node.args.get("on"):
        yield "distinct-on"
    elif isinstance(node, exp.AtTimeZone):
        yield "time-zone"
    elif isinstance(node, (exp.Array, exp.Bracket)) and not isinstance(node.parent, exp.Array):
        yield "array"
    elif isinstance(node, exp.Struct):
        yield "struct"
    elif isinstance(node, exp.Window) and _ORDERED.fullmatch(_name(node.this)) and not node.args.get("order"):
        yield "order-of-window"
    yield from _clocks_and_patterns(node)


def _clocks_and_patterns(node: Expr) -> Iterator[str]:
    name = _name(node)
    clock = (isinstance(node, _CLOCKS) and not node.args.get("sysdate")) or name in ("getdate", "systimestamp")
    if clock and not node.find_ancestor(exp.ConvertTimezone):
        yield "now"
    if _uses_weeks(node):
        yield "week"
    if isinstance(node, exp.Extract) and node.name.lower() == "epoch":
        yield "epoch"
    if name.startswith("regexp") or name == "rlike":
        if any(_REGEX.search(literal.name) for literal in node.find_all(exp.Literal) if literal.is_string):
            yield "regex"
        flags = node.args.get("position") if isinstance(node, exp.RegexpReplace) else None
        if (isinstance(flags, exp.Literal) and flags.is_string) or (node.args.get("modifiers") and not flags):
            yield "regex-flags"


def _uses_weeks(node: Expr) -> bool:
    unit = node.args.get("unit") if isinstance(node, exp.Func) else None
    part = node.this if isinstance(node, exp.Extract) else unit
    return isinstance(part, Expr) and bool(_WEEKS.fullmatch(part.name or part.sql()))


def _cannot_be_zero(divisor: Expr) -> bool:
    inner = divisor.unnest()
    if isinstance(inner, exp.Cast):
        return _cannot_be_zero(inner.this)
    return isinstance(inner, exp.Nullif) or (isinstance(inner, exp.Literal) and float(inner.name or 0) != 0)


def _is_div0(node: Expr) -> bool:
    """Whether the division is what sqlglot makes of `div0(a, b)`: `if(b = 0, 0, a / b)`."""
    return isinstance(node.parent, exp.If) and node.parent.this.find(exp.EQ) is not None


def _name(node: Expr) -> str:
    """A function's name as Snowflake spells it, in lower case; empty for anything else."""
    if isinstance(node, exp.Anonymous):
        return node.name.lower()
    return node.sql_name().lower() if isinstance(node, exp.Func) else ""


def _line(node: Expr) -> int:
    return next((int(each.meta["line"]) for each in node.walk() if "line" in each.meta), 1)
