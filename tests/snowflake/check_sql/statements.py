"""SQL text in statements, and statements in pieces: a rule never looks inside a literal, a comment or a body in $$."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

_PIECE = re.compile(
    r"(?P<text>'(?:[^'\\]|''|\\.)*')|(?P<dollars>\$\$.*?\$\$)|(?P<name>\"(?:[^\"]|\"\")*\")"
    r"|(?P<comment>--[^\n]*|/\*.*?\*/|(?:(?<=\n)|\A)[ \t]*//[^\n]*)|(?P<space>\s+)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_$]*|\$[A-Za-z_]\w*)|(?P<number>(?:\d[\d_]*)?\.?\d[\d_]*(?:[eE][+-]?\d+)?)"
    r"|(?P<sign>::|:=|=>|->>|->|<=|>=|<>|!=|!~~?\*?|\|\||&&|<<|>>|==|\*\*|\^@|//|@>|<@|~~\*?|.)",
    re.DOTALL,
)
# What opens a block of Snowflake Scripting, which holds semicolons, as against a transaction.
_BLOCK = re.compile(
    r"\s*(declare\b|begin(?!\s*(\Z|transaction\b|work\b|name\b)))"
    r"|\s*(create|alter)\b.*\b(as|alert\b.*\bthen)\s+(declare|begin)\b",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Piece:
    """A piece of SQL: its `kind` (text, dollars, name, word, number, sign), as it is written, and its line."""

    kind: str
    written: str
    line: int

    @property
    def word(self) -> str:
        """An unquoted word in upper case; empty for anything else."""
        return self.written.upper() if self.kind == "word" else ""


@dataclass(frozen=True)
class Statement:
    """One statement of a text, and the line that it begins on."""

    sql: str
    line: int

    @cached_property
    def pieces(self) -> list[Piece]:
        """Its pieces, without space and comments."""
        return [piece for piece in lex(self.sql, self.line) if piece.kind not in ("space", "comment")]

    @cached_property
    def code(self) -> str:
        """The text with literals, quoted names and comments blanked, line by line as it was."""
        return "".join(
            piece.written
            if piece.kind in ("word", "number", "sign", "space")
            else {"text": "'", "name": '"', "dollars": "'", "comment": " "}[piece.kind]
            + "\n" * piece.written.count("\n")
            + {"text": "'", "name": '"', "dollars": "'", "comment": ""}[piece.kind]
            for piece in lex(self.sql)
        )

    @property
    def first(self) -> str:
        """The first word, in upper case."""
        return self.pieces[0].word if self.pieces else ""

    @property
    def scripted(self) -> bool:
        """Whether it is a block of Snowflake Scripting."""
        return bool(_BLOCK.match(self.code))


def lex(sql: str, line: int = 1) -> Iterator[Piece]:
    """The pieces of a text, with space and comments."""
    for match in _PIECE.finditer(sql):
        yield Piece(str(match.lastgroup), match.group(), line)
        line += match.group().count("\n")


def split(sql: str) -> list[Statement]:
    """The statements of a text; a block of Snowflake Scripting is one, with all that follows."""
    found, current, begun = [], "", 1
    pieces = list(lex(sql))
    for at, piece in enumerate(pieces):
        if (
            piece.kind == "sign"
            and (piece.written == ";" or _flows(pieces[at:]))
            and not Statement(current, 1).scripted
        ):
            found.append(Statement(current, begun))
            current = ""
        else:
            if not current.strip():
                current, begun = "", piece.line
            current += piece.written
    found.append(Statement(current.rstrip().rstrip(";"), begun))
    return [statement for statement in found if statement.pieces]


def _flows(pieces: list[Piece]) -> bool:
    """Whether the flow operator is next, which hands the rows of one statement to another."""
    return pieces[0].written == "->>" and any(
        piece.word in ("SELECT", "SHOW", "WITH", "INSERT") for piece in pieces[1:3]
    )
