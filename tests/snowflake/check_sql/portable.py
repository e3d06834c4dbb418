"""What both engines take and read differently: for SQL that the project sends to both of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import sqlglot
from sqlglot import Expr, exp
from sqlglot.errors import SqlglotError

from tests.snowflake.check_sql.meaning import INSTANTS, Columns, typed
from tests.snowflake.check_sql.nodes import line_of, shown
from tests.snowflake.check_sql.rules import DOCS, Rule
from tests.snowflake.check_sql.statements import Statement, split
from tests.snowflake.check_sql.text import arguments, words

DIFFERENCES = {
    "backslash": Rule("a backslash escapes in '…' on Snowflake alone", "a class such as [0-9], or $$…$$", "sql-reference/data-types-text"),
    "quoted-name": Rule("a quoted name keeps its case, an unquoted one is upper case", "no quotes", "sql-reference/identifiers-syntax"),
    "order-of-nulls": Rule("desc puts nulls first, on DuckDB last", "nulls first or nulls last", "sql-reference/constructs/order-by"),
    "order-of-listagg": Rule("the order of the items is not defined", "within group (order by …)", "sql-reference/functions/listagg"),
    "division": Rule("by zero it is an error, on DuckDB null or infinity", "nullif(…, 0) around the divisor", "sql-reference/operators-arithmetic"),
    "now": Rule("it follows the session's time zone", "sysdate(), or convert_timezone('UTC', …)", "sql-reference/functions/sysdate"),
    "week": Rule("it follows WEEK_START and WEEK_OF_YEAR_POLICY", "dayofweekiso(), weekiso(), yearofweekiso()", "sql-reference/functions-date-time"),
    "timestamp": Rule("TIMESTAMP is what TIMESTAMP_TYPE_MAPPING says", "timestamp_ntz or datetime", "sql-reference/data-types-datetime"),
    "epoch": Rule("whole seconds, on DuckDB with a fraction", "date_part('epoch_microsecond', …)", "sql-reference/functions/date_part"),
    "array": Rule("its first index is 0, on DuckDB 1", "rows, or array_construct behind a macro", "sql-reference/data-types-semistructured"),
    "nulls": Rule("one null makes it null, DuckDB leaves nulls out", "coalesce around each argument", "sql-reference/functions/greatest"),
    "text-of-time": Rule(
        "the text of an instant has milliseconds on Snowflake: two instants can have one text",
        "its microseconds since 1970, or to_char with a format",
        "sql-reference/parameters#timestamp-output-format",
    ),
}  # fmt: skip
WEEKS = words("DAYOFWEEK WEEK WEEKOFYEAR YEAROFWEEK")
_WEEK_PARTS = re.compile(r"day_?of_?week|dow|weekday|week|weekofyear|woy|wy|yearofweek", re.IGNORECASE)
# What may be null by its form. Of a column that cannot be known, so greatest and least of columns pass.
_NULLABLE = (exp.Nullif, exp.TryCast, exp.Lag, exp.Lead, exp.RegexpSubstr, exp.Subquery, exp.Null)
_CLOCKS = (exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime, exp.Localtimestamp, exp.Localtime)


def differences(sql: str, known: Columns | None = None) -> Iterator[str]:
    """What in a text the two engines would read differently, each as a line for a person."""
    for statement in split(sql):
        found = {*_in_text(statement), *_in_tree(statement, known or {})}
        for rule, line, text in sorted(found, key=lambda each: (each[1], each[0])):
            difference = DIFFERENCES[rule]
            yield f"{line}: [{rule}] {text}: {difference.reason}. Instead: {difference.cure} ({DOCS}{difference.source})"


def _in_text(statement: Statement) -> Iterator[tuple[str, int, str]]:
    pieces = statement.pieces
    for at, piece in enumerate(pieces):
        after = pieces[at + 1].word if at + 1 < len(pieces) else ""
        if piece.kind == "text" and "\\" in piece.written:
            yield "backslash", piece.line, piece.written
        if piece.kind == "name" and piece.written != piece.written.upper():
            yield "quoted-name", piece.line, piece.written
        if piece.word == "DESC" and at and after != "NULLS":
            yield "order-of-nulls", piece.line, f"{pieces[at - 1].written} {piece.written}"
        if piece.written in ("[", "{") and piece.kind == "sign":
            yield "array", piece.line, piece.written
        if piece.word == "LISTAGG":
            _, end = arguments(pieces, at + 1)
            if "WITHIN" not in {each.word for each in pieces[end : end + 2]}:
                yield "order-of-listagg", piece.line, piece.written
        if piece.word in WEEKS and at + 1 < len(pieces) and pieces[at + 1].written == "(":
            yield "week", piece.line, f"{piece.written}()"


def _in_tree(statement: Statement, known: Columns) -> Iterator[tuple[str, int, str]]:
    try:
        tree = sqlglot.parse_one(statement.sql, read="snowflake")
    except SqlglotError:
        return
    for node in tree.walk():
        for rule in _different(node):
            yield rule, statement.line + line_of(node) - 1, shown(node)
    for node in typed(tree, known).walk():
        if _is_text_of_time(node):
            yield "text-of-time", statement.line + line_of(node) - 1, shown(node)


def _different(node: Expr) -> Iterator[str]:
    if isinstance(node, exp.DataType) and node.this == exp.DataType.Type.TIMESTAMP:
        yield "timestamp"
    elif (
        isinstance(node, (exp.Div, exp.Mod))
        and not _cannot_be_zero(node.expression)
        and not isinstance(node.parent, exp.If)
    ):
        yield "division"
    clock = (isinstance(node, _CLOCKS) and not node.args.get("sysdate")) or node.name.lower() in (
        "getdate",
        "systimestamp",
    )
    if clock and isinstance(node, exp.Func) and not node.find_ancestor(exp.ConvertTimezone):
        yield "now"
    part = node.this if isinstance(node, exp.Extract) else node.args.get("unit") if isinstance(node, exp.Func) else None
    if isinstance(part, Expr) and _WEEK_PARTS.fullmatch(part.name or part.sql()):
        yield "week"
    if isinstance(node, exp.Extract) and node.name.lower() == "epoch":
        yield "epoch"
    if isinstance(node, (exp.Greatest, exp.Least)) and any(map(_may_be_null, [node.this, *node.expressions])):
        yield "nulls"
    if isinstance(node, (exp.Concat, exp.ConcatWs)) and not all(map(_is_never_null, node.expressions)):
        yield "nulls"


def _is_text_of_time(node: Expr) -> bool:
    shows = isinstance(node, (exp.Cast, exp.TryCast)) and node.to.this in exp.DataType.TEXT_TYPES
    inner = node.this if shows or (isinstance(node, exp.ToChar) and not node.args.get("format")) else None
    sides = (node.left, node.right) if isinstance(node, exp.DPipe) else (inner,)
    return any(each is not None and each.type is not None and each.type.this in INSTANTS for each in sides)


def _is_never_null(argument: Expr) -> bool:
    return isinstance(argument.unnest(), (exp.Coalesce, exp.Literal))


def _may_be_null(argument: Expr) -> bool:
    inner = argument.unnest() if isinstance(argument, exp.Paren) else argument
    if isinstance(inner, exp.Cast) and not isinstance(inner, exp.TryCast):
        return _may_be_null(inner.this)
    without_else = isinstance(inner, exp.Case) and not inner.args.get("default")
    return without_else or isinstance(inner.this if isinstance(inner, exp.Window) else inner, _NULLABLE)


def _cannot_be_zero(divisor: Expr) -> bool:
    inner = divisor.unnest()
    if isinstance(inner, exp.Cast):
        return _cannot_be_zero(inner.this)
    return isinstance(inner, exp.Nullif) or (isinstance(inner, exp.Literal) and float(inner.name or 0) != 0)
