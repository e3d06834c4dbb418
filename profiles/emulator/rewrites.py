"""What fakesnow does not translate yet, as small rewrites of one statement's tree before it translates the rest.

Each is a pure function from a sqlglot tree to a sqlglot tree, with one sentence on why. `test_emulator.py` tells
for each when fakesnow no longer needs it.
"""

from __future__ import annotations

import re

from sqlglot import Expr, exp, parse_one

DATE_PARTS = {
    "YYYY": "%Y", "YY": "%y", "MMMM": "%B", "MON": "%b", "MM": "%m", "DD": "%d", "DY": "%a",
    "HH24": "%H", "HH12": "%I", "MI": "%M", "SS": "%S", "AM": "%p", "PM": "%p", "FF6": "%f", "FF3": "%g",
}  # fmt: skip
_DATE_TOKEN = re.compile(rf'({"|".join(sorted(DATE_PARTS, key=len, reverse=True))})|"([^"]*)"|([^A-Za-z"])', re.I)


def permanent_when_qualified(statement: Expr) -> exp.Table | None:
    """Make a qualified temporary table or view permanent, and name it: DuckDB's live in the catalog `temp` alone.

    Returns the table that the session has to drop when it ends, or None.
    """
    if not isinstance(statement, exp.Create) or statement.args.get("kind") not in ("TABLE", "VIEW"):
        return None
    table = statement.this if isinstance(statement.this, exp.Table) else statement.this.find(exp.Table)
    temporary = list(statement.find_all(exp.TemporaryProperty))
    if table is None or not table.db or not temporary:
        return None
    for found in temporary:
        found.pop()
    return table


def merge_values_from_source(statement: exp.Merge) -> exp.Merge:
    """Qualify bare columns in `insert … values` with the source: DuckDB finds them ambiguous, Snowflake does not."""
    source = statement.args["using"].alias_or_name
    for when in statement.args["whens"].expressions:
        then = when.args.get("then")
        if isinstance(then, exp.Insert) and then.expression:
            for column in then.expression.find_all(exp.Column):
                if not column.table:
                    column.set("table", exp.to_identifier(source))
    return statement


def hex_to_number(node: Expr) -> Expr:
    """`to_number(x, 'XXX…')` reads hexadecimal text: fakesnow knows no format, DuckDB casts text with a `0x`."""
    if not isinstance(node, exp.ToNumber) or not (picture := node.args.get("format")):
        return node
    if not (picture.is_string and re.fullmatch(r"X{1,15}", picture.name)):
        return node
    number = exp.cast(exp.DPipe(this=exp.Literal.string("0x"), expression=node.this), "bigint")
    return exp.cast(number, exp.DataType.build("decimal(38, 0)"))


def format_dates(node: Expr) -> Expr:
    """`to_char(x, 'YYYYMMDD')`: fakesnow drops the format in silence.

    Raises NotImplementedError for a format that is not made of date parts.
    """
    if not isinstance(node, exp.ToChar) or not (picture := node.args.get("format")):
        return node
    text, at, parts = picture.name, 0, []
    while at < len(text):
        token = _DATE_TOKEN.match(text, at)
        if token is None:
            raise NotImplementedError(f"to_char with format {text!r}")
        part, quoted, other = token.groups()
        parts.append(DATE_PARTS[part.upper()] if part else quoted if quoted is not None else other)
        at = token.end()
    return exp.func("strftime", node.this, exp.Literal.string("".join(parts)))


def local_timestamps(node: Expr) -> Expr:
    """`to_timestamp_ltz(<seconds>)` on a column: DuckDB's `to_timestamp` is the same, fakesnow leaves the name."""
    if isinstance(node, exp.Anonymous) and node.name.upper() == "TO_TIMESTAMP_LTZ" and len(node.expressions) == 1:
        return exp.Anonymous(this="TO_TIMESTAMP", expressions=node.expressions)
    return node


def normal_form(node: Expr) -> Expr:
    """`tools.nfc(x)`, the account's JavaScript function: fakesnow runs no JavaScript, DuckDB has a function for it."""
    if (
        isinstance(node, exp.Dot)
        and isinstance(called := node.expression, exp.Anonymous)
        and called.name.lower() == "nfc"
    ):
        return exp.Anonymous(this="nfc_normalize", expressions=called.expressions)
    return node


def text_of_times(node: Expr) -> Expr:
    """`cast(x as varchar)`: an instant's text has milliseconds, so that two instants can have one text."""
    plain = isinstance(node, exp.Cast) and node.to.this in exp.DataType.TEXT_TYPES and not node.to.expressions
    if not plain or isinstance(node.this, exp.Literal):
        return node
    text = "strftime(try_cast(cast(x as varchar) as timestamp), '%Y-%m-%d %H:%M:%S.%g')"
    shown = parse_one(
        f"case when starts_with(typeof(x), 'TIMESTAMP') then {text} else cast(x as varchar) end", read="duckdb"
    )
    return shown.transform(lambda each: node.this.copy() if isinstance(each, exp.Column) else each)


def before(statement: Expr) -> Expr:
    """The rewrites that come before fakesnow's own."""
    for rewrite in (hex_to_number, format_dates, normal_form):
        statement = statement.transform(rewrite, copy=False)
    return statement


def after(statement: Expr) -> Expr:
    """The rewrites that come after fakesnow's own, which would take their result for a Snowflake function."""
    statement = statement.transform(local_timestamps, copy=False)
    return statement if isinstance(statement, exp.Copy) else statement.transform(text_of_times, copy=False)
