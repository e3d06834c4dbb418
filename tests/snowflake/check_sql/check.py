"""All looks at a text, statement by statement."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from functools import cache
from typing import Any

import sqlglot
from sqlglot import Expr, exp
from sqlglot.errors import SqlglotError

from tests.snowflake.check_sql import meaning, text, tree
from tests.snowflake.check_sql.meaning import Columns
from tests.snowflake.check_sql.rules import Finding
from tests.snowflake.check_sql.statements import Statement, split


def check(sql: str, file: str = "", known: Columns | None = None) -> list[Finding]:
    """What in a text Snowflake would refuse, in order of appearance; `known` are the columns of relations."""
    created = re.findall(r"\bfunction\s+(?:if\s+not\s+exists\s+)?(?:[\w.]*\.)?(\w+)\s*\(", sql, re.IGNORECASE)
    functions = frozenset(name.upper() for name in created)
    columns = dict(known or {})
    found, transaction = [], False
    for statement in split(sql):
        found += [*text.findings(statement, functions), *_grammar(statement)]
        if transaction and statement.first in ("CREATE", "ALTER", "DROP", "TRUNCATE", "UNDROP"):
            found.append(Finding("ddl-in-transaction", statement.line, statement.pieces[0].written))
        if statement.first in ("BEGIN", "START", "COMMIT", "ROLLBACK") and not statement.scripted:
            transaction = statement.first in ("BEGIN", "START")
        if not statement.scripted and (parsed := _tree(statement.sql)):
            found += [*tree.findings(parsed, statement.line), *meaning.findings(parsed, statement.line, columns)]
            if table := meaning.columns_of(parsed):
                columns[table[0]] = table[1]
    unique = {(each.rule, each.line, each.text): replace(each, file=file) for each in found}
    return sorted(unique.values(), key=lambda each: (each.line, each.rule))


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

    return Linter(config=FluffConfig(overrides={"dialect": "snowflake"}))


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
    (r"::\s*map\s*\([^()]*\)", "::variant"),
    (r"\border\s+by\s+all\b", "order by 1"),
    (r"\binsert\s+overwrite\s+table\b", "insert overwrite into"),
    (r",(?=\s*(where|group|order|having|qualify|limit)\b|\s*\Z)", " "),
    (r"\b(epoch_\w+|yearofweekiso|yearofweek|weekiso|dayofweekiso|timezone_\w+)(?=\s*,)", "year"),
)


def _grammar(statement: Statement) -> list[Finding]:
    sql = statement.sql
    for pattern, shape in _GAPS:
        sql = re.sub(pattern, shape, sql, flags=re.IGNORECASE)
    parsed = _linter().parse_string(sql)
    found = [
        Finding("syntax", statement.line + max(each.line_no, 1) - 1, _unparsed(each.desc()))
        for each in parsed.violations
    ]
    table = re.match(r"\s*(create|alter)\b[^(]*?\b(table|view)\b|\s*drop\b[^(]*,", statement.code, re.IGNORECASE)
    return [] if found and statement.first in ADMINISTRATION and not table and _tree(statement.sql) else found


def _unparsed(description: str) -> str:
    return " ".join(re.sub(r"^.*?unparsable section: |\. Expected: .*", "", description).split())[:80]


# Statements that both grammars know in part: one that knows the form is enough.
ADMINISTRATION = text.words("ALTER CREATE DESC DESCRIBE DROP SHOW UNDROP USE COPY GRANT REVOKE COMMENT")
