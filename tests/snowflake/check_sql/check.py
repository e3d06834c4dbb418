"""All looks at a text, statement by statement."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import Expr, exp
from sqlglot.errors import SqlglotError

from tests.snowflake.check_sql import blocks, meaning, options, privileges, text, tree
from tests.snowflake.check_sql.meaning import Columns
from tests.snowflake.check_sql.rules import Finding
from tests.snowflake.check_sql.statements import Statement, lex, split


def check(sql: str, file: str = "", known: Columns | None = None) -> list[Finding]:
    """What in a text Snowflake would refuse, in order of appearance; `known` are the columns of relations."""
    created = re.findall(r"\bfunction\s+(?:if\s+not\s+exists\s+)?(?:[\w.]*\.)?(\w+)\s*\(", sql, re.IGNORECASE)
    functions = frozenset(name.upper() for name in created)
    columns = dict(known or {})
    found, transaction = [], False
    for statement in split(sql):
        found += text.findings(statement, functions)
        found += [*options.findings(statement.pieces), *privileges.findings(statement), *blocks.findings(statement)]
        if transaction and statement.first in ("CREATE", "ALTER", "DROP", "TRUNCATE", "UNDROP"):
            found.append(Finding("ddl-in-transaction", statement.line, statement.pieces[0].written))
        if statement.first in ("BEGIN", "START", "COMMIT", "ROLLBACK") and not statement.scripted:
            transaction = statement.first in ("BEGIN", "START")
        try:
            found += [*_grammar(statement), *_parsed(statement, columns)]
        except RecursionError:
            found.append(Finding("syntax", statement.line, statement.first, why="it is nested too deep to be checked"))
        except (AttributeError, IndexError, TypeError, ValueError):
            # sqlglot's own, with arguments that it does not know
            found.append(Finding("arguments", statement.line, statement.first))
    unique = {(each.rule, each.line, each.text): replace(each, file=file) for each in found}
    return sorted(unique.values(), key=lambda each: (each.line, each.rule))


def _parsed(statement: Statement, columns: dict[str, Mapping[str, str]]) -> Iterator[Finding]:
    """What the tree of a statement shows; `columns` gets those of a table that it creates."""
    parsed = None if statement.scripted else _tree(statement.sql)
    if parsed is None:
        return
    if statement.first == "WITH" and not isinstance(parsed, exp.Query):
        yield Finding("with", statement.line, statement.pieces[0].written)
    yield from tree.findings(parsed, statement.line)
    yield from meaning.findings(parsed, statement.line, columns)
    if table := meaning.columns_of(parsed):
        columns[table[0]] = table[1]


def _tree(sql: str) -> Expr | None:
    """The syntax tree of a statement; None for one that sqlglot does not know, which the grammar judges alone."""
    try:
        parsed = sqlglot.parse_one(sql, read="snowflake")
    except SqlglotError:
        return None
    return None if isinstance(parsed, exp.Command) else parsed


@cache
def _linter() -> Any:
    from sqlfluff.core import FluffConfig, Linter

    return Linter(config=FluffConfig(overrides={"dialect": "snowflake", "templater": "raw"}))


logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it says which statements it does not know
# What sqlfluff's grammar does not know yet, and a form of the same shape that it does.
_GAPS = (
    (r"\btimestamp(ntz|ltz|tz)\b", r"timestamp_\1"),
    (r"(?<![\w.])x(?=')", ""),
    (r"\{\s*([\w.\"]+\.)?\*[^{}]*\}", "{}"),
    (r"\b(autoincrement|identity)\b\s+(start|increment)[^,()]*(?=[,)])", r"\1"),
    (r"\bat\s*\(\s*timestamp\s*=>\s*cast\([^()]*\)\s*\)", "at (offset => -1)"),
    (r"(?<=\s)storage_aws_external_id\s*=\s*'[^']*'", ""),
    (r"\A(\s*alter\s+session\s+set\s+\w+\s*=\s*(?:'[^']*'|\w+))(\s*,?\s*\w+\s*=\s*(?:'[^']*'|\w+))+", r"\1"),
    (r"\bthen\s+begin\b(?s:.*)\bend\s*\Z", "then call p()"),
    (
        r"\A\s*create\s+(or\s+replace\s+)?semantic\s+view\s+(if\s+not\s+exists\s+)?[\w.\"]+\s+tables\s*\((?s:.*)",
        "select 1",
    ),
    (r"\A\s*execute\s+alert\b", "execute task"),
    (r"\bshow\s+(alerts|dynamic\s+tables|semantic\s+views)\b", "show tasks"),
    (r"(?<=alter\s)semantic\s+view\b", "view"),
    (r"::\s*map\s*\([^()]*\)", "::variant"),
    (r"\border\s+by\s+all\b", "order by 1"),
    (r"\binsert\s+overwrite\s+table\b", "insert overwrite into"),
    (r",(?=\s*(where|group|order|having|qualify|limit)\b|\s*\Z)", " "),
    (r",\s*\*(?=\s*\))", ""),
    (r"\(\s*\+\s*\)", ""),
    (r"\bfrom\s+(first|last)(?=\s+(ignore|respect)\s+nulls\b)", ""),
    (r"::\s*vector\s*\([^()]*\)", "::variant"),
    (r"\blet\s+(\w+)\s+cursor\s+for\b[^;]*", r"let \1 := 1"),
    (r"\b(open|close)\s+\w+\s*(?=;)|\bfetch\s+\w+\s+into\s+[\w\s,:]+(?=;)", "return 1"),
    (r"(?<=[=(,])\s*\?(?=\s*(\Z|[,)]|and\b|or\b))", " :1"),
    (r"\b(epoch_\w+|yearofweekiso|yearofweek|weekiso|dayofweekiso|timezone_\w+)(?=\s*,)", "year"),
)


def _grammar(statement: Statement) -> list[Finding]:
    sql = statement.sql
    for pattern, shape in _GAPS:
        sql = re.sub(pattern, shape, sql, flags=re.IGNORECASE)
    if _parses(_shape(sql)):
        return []
    found = [
        Finding("syntax", statement.line + max(line, 1) - 1, _unparsed(description))
        for line, description in _errors(sql)
    ]
    table = re.match(r"\s*(create|alter)\b[^(]*?\b(table|view)\b|\s*drop\b[^(]*,", statement.code, re.IGNORECASE)
    return [] if found and statement.first in ADMINISTRATION and not table and _tree(statement.sql) else found


@cache
def _errors(sql: str) -> list[tuple[int, str]]:
    try:
        return [(each.line_no, each.desc()) for each in _linter().parse_string(sql).violations]
    except RuntimeError as error:  # sqlfluff's grammar names a keyword that is not Snowflake's
        return [(1, str(error))]


taken: Path | None = None
"""A folder in which processes tell each other what the grammar has taken: nearly all the time of a check goes there."""


@cache
def _parses(shape: str) -> bool:
    """Whether the grammar takes a statement; each query in parentheses is parsed by itself, and once."""
    while inner := _QUERY.search(shape):
        depth, end = 1, inner.end()
        while depth and end < len(shape):
            depth += {"(": 1, ")": -1}.get(shape[end], 0)
            end += 1
        if depth or not _parses(shape[inner.end() : end - 1].strip()):
            return False
        shape = f"{shape[: inner.start()]}( {_PARSED} ){shape[end:]}"
    mark = taken and taken / hashlib.sha256(shape.encode()).hexdigest()
    if mark and mark.exists():
        return True
    if _errors(shape):
        return False
    if mark:
        mark.touch()
    return True


def _shape(sql: str) -> str:
    """A statement on one line, in which texts are alike, numbers too, parts of qualified names, and rows of values."""
    pieces = [piece for piece in lex(sql) if piece.kind != "comment"]
    written = []
    for before, piece, after in zip([None, *pieces], pieces, [*pieces[1:], None], strict=False):
        qualified = any(each and each.written == "." for each in (before, after))
        if piece.kind == "space":
            written.append(" ")
        elif piece.kind in ("text", "dollars") and "://" not in piece.written:
            written.append("'x'")
        elif qualified and piece.word and piece.word not in text.RESERVED and "$" not in piece.word:
            written.append("n")
        elif piece.kind == "number":
            written.append(re.sub(r"[\d_]+", "1", piece.written))
        else:
            written.append(piece.written)
    return re.sub(r"(\([^()]*\))(, ?\1)+", r"\1", " ".join("".join(written).split()))


_PARSED = "select 1"
_QUERY = re.compile(rf"\(\s*(?=(select|with)\b)(?!\s*{_PARSED}\s*\))", re.IGNORECASE)


def _unparsed(description: str) -> str:
    return " ".join(re.sub(r"^.*?unparsable section: |\. Expected: .*", "", description).split())[:80]


# Statements that both grammars know in part: one that knows the form is enough.
ADMINISTRATION = text.words("ALTER CREATE DESC DESCRIBE DROP SHOW UNDROP USE COPY GRANT REVOKE COMMENT")
