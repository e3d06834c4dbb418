"""Blocks of Snowflake Scripting: whether their statements end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.snowflake.check_sql.rules import Finding
from tests.snowflake.check_sql.statements import Piece, Statement, lex
from tests.snowflake.check_sql.text import words

# What a statement of a block may follow, other than a semicolon.
_OPENERS = words("BEGIN THEN ELSE DO LOOP REPEAT DECLARE")


def findings(statement: Statement) -> Iterator[Finding]:
    """The statements without an end in a block, and in one that stands in $$."""
    if statement.scripted:
        yield from _unended(statement.pieces)
    for piece in statement.pieces:
        if piece.kind == "dollars" and re.match(r"\s*(declare|begin)\b", piece.written[2:-2], re.IGNORECASE):
            inner = lex(piece.written[2:-2], piece.line)
            yield from _unended([each for each in inner if each.kind not in ("space", "comment")])


def _unended(pieces: list[Piece]) -> Iterator[Finding]:
    cases = 0
    for before, piece, after in zip(pieces, pieces[1:], [*pieces[2:], None], strict=False):
        ended = before.written == ";" or before.word in _OPENERS
        if piece.word == "CASE" and before.word != "END":
            cases += 1
        elif piece.word == "END" and cases and not ended:
            cases -= 1
        elif piece.word in ("END", "LET", "RETURN") and not ended and not (after and after.word == "REPEAT"):
            yield Finding("block", piece.line, f"{before.written} {piece.written}")
