"""Reports what in compiled SQL is not Snowflake's: the emulator would accept much of it without a word.

`python -m tests.snowflake.dialect FILE…` checks compiled files. Three looks at each: its functions against
Snowflake's own (`snowflake_functions.txt`), its tokens and its syntax tree against named rules. Each finding has a
reason and a cure; what no look can see is listed in the README as proven by a live account only.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, TokenType

from tests.snowflake.rules import RULES, TYPES, WEEK_FUNCTIONS, Finding, tree_findings, words

FUNCTIONS = frozenset(
    line.strip()
    for line in Path(__file__).with_name("snowflake_functions.txt").read_text(encoding="utf-8").splitlines()
    if line.strip() and not line.startswith("#")
)
# What the bootstrap creates.
OWN_FUNCTIONS = {"OPS.NFC"}
# Words that may stand before a parenthesis and are no function.
KEYWORDS = words(
    """
    ALL AND ANY AS BETWEEN BY CASE CHECK CLUSTER COLUMNS CROSS CUBE DISTINCT ELSE END ESCAPE EXCEPT EXCLUDE EXISTS
    FILES FILE_FORMAT FOR FROM FULL GROUP HAVING ILIKE IN INNER INTERSECT INTO IS JOIN KEY LATERAL LIKE LIMIT MINUS
    NOT OFFSET ON OR ORDER OUTER OVER PARTITION PIVOT QUALIFY RECURSIVE REFERENCES RENAME RLIKE ROLLUP ROWS SELECT
    SET SETS SOME TABLE THEN TOP UNION UNIQUE UNPIVOT USING VALUES WHEN WHERE WINDOW WITH WITHIN
    """
)
# Words after which a name with a parenthesis is a table and its columns.
BEFORE_TABLE = frozenset(("AS", "EXISTS", "INTO", "JOIN", "REFERENCES", "TABLE", "VIEW", "WITH", "RECURSIVE"))
_LEXEMES = re.compile(
    r"(?P<text>'(?:[^']|'')*')|(?P<dollars>\$\$.*?\$\$)|(?P<name>\"(?:[^\"]|\"\")*\")"
    r"|(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<slashes>//)|(?P<space>\s+)|(?P<code>.)",
    re.DOTALL,
)


def check(sql: str, file: str = "") -> list[Finding]:
    """What in `sql` (one or more statements) is not Snowflake's, in order of appearance."""
    found = [*_text_findings(sql)]
    plain = _without_slashes(sql)
    try:
        tokens = sqlglot.tokenize(plain, read="snowflake")
        found += [*_token_findings(tokens), *_function_findings(tokens)]
        for tree in sqlglot.parse(plain, read="snowflake"):
            found += tree_findings(tree) if tree is not None else []
    except SqlglotError as error:
        details = getattr(error, "errors", None) or [{}]
        line = details[0].get("line") or 1
        found.append(Finding("syntax", line, str(error).splitlines()[0].replace("\x1b[4m", "").replace("\x1b[0m", "")))
    unique = {(each.rule, each.line, each.text): each for each in found}
    return sorted((each.in_file(file) for each in unique.values()), key=lambda each: (each.line, each.rule))


def check_files(paths: Iterable[Path]) -> list[Finding]:
    """The findings of every file."""
    return [found for path in paths for found in check(path.read_text(encoding="utf-8"), str(path))]


def _lexemes(sql: str) -> Iterator[tuple[str, str, int]]:
    """Kind, text and line of each piece: literals and comments whole, so that a rule never looks inside them."""
    for match in _LEXEMES.finditer(sql):
        yield str(match.lastgroup), match.group(), sql.count("\n", 0, match.start()) + 1


def _without_slashes(sql: str) -> str:
    """The SQL with DuckDB's `//` as a division: sqlglot takes it for a comment, and would not see what follows."""
    return "".join("/" if kind == "slashes" else text for kind, text, _ in _lexemes(sql))


def _text_findings(sql: str) -> Iterator[Finding]:
    code = []
    for kind, text, line in _lexemes(sql):
        if kind == "slashes":
            yield Finding("integer-division", line, "//")
        elif kind == "text" and "\\" in text:
            yield Finding("backslash", line, text)
        elif kind == "name" and text != text.upper():
            yield Finding("quoted-name", line, text)
        code.append(text if kind == "code" else "\n" * text.count("\n") or " " if kind in ("space", "comment") else "?")
    joined = "".join(code)
    for name, rule in RULES.items():
        for match in re.finditer(rule.pattern, joined, re.IGNORECASE) if rule.pattern else ():
            yield Finding(name, joined.count("\n", 0, match.start()) + 1, " ".join(match.group().split()))


def _token_findings(tokens: list[Token]) -> Iterator[Finding]:
    for at, token in enumerate(tokens):
        word, after = token.text.upper(), tokens[at + 1].text.upper() if at + 1 < len(tokens) else ""
        before = tokens[at - 1] if at else None
        if word == "DESC" and before and before.token_type != TokenType.SEMICOLON and after != "NULLS":
            yield Finding("order-of-nulls", token.line, f"{before.text} {token.text}")
        if before and before.token_type == TokenType.DCOLON and word not in TYPES:
            yield Finding("type", token.line, token.text)
        if word in WEEK_FUNCTIONS and after == "(":
            yield Finding("week", token.line, f"{token.text}()")
        if word == "LISTAGG" and after == "(":
            end = _closing(tokens, at + 1)
            if end + 1 >= len(tokens) or tokens[end + 1].text.upper() != "WITHIN":
                yield Finding("order-of-listagg", token.line, token.text)


def _function_findings(tokens: list[Token]) -> Iterator[Finding]:
    for at, token in enumerate(tokens[:-1]):
        name = token.text.upper()
        called = tokens[at + 1].token_type == TokenType.L_PAREN and re.fullmatch(r"[A-Z_][A-Z0-9_$]*", name)
        if not called or token.token_type in (TokenType.IDENTIFIER, TokenType.STRING):
            continue
        method = at > 0 and tokens[at - 1].token_type == TokenType.DOT  # DuckDB's `x.upper()`
        if method and at > 1 and f"{tokens[at - 2].text}.{name}".upper() in OWN_FUNCTIONS:
            continue
        if name in KEYWORDS or name in TYPES or _names_a_table(tokens, at) or (name in FUNCTIONS and not method):
            continue
        yield Finding("function", token.line, f"{token.text}()")


def _names_a_table(tokens: list[Token], at: int) -> bool:
    """Whether the name is a table's, a common table expression's or an alias, with a list of columns."""
    start = at
    while start >= 2 and tokens[start - 1].token_type == TokenType.DOT:
        start -= 2
    before = tokens[start - 1].text.upper() if start else ""
    if before in BEFORE_TABLE or before == ")":
        return True
    end = _closing(tokens, at + 1)
    after = tokens[end + 1].text.upper() if end + 1 < len(tokens) else ""
    opens = tokens[end + 2].token_type == TokenType.L_PAREN if end + 2 < len(tokens) else False
    return before == "," and after == "AS" and opens


def _closing(tokens: list[Token], opening: int) -> int:
    """The index of the parenthesis that closes the one at `opening`."""
    depth = 0
    for at in range(opening, len(tokens)):
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(tokens[at].token_type, 0)
        if depth == 0:
            return at
    return len(tokens) - 1


def main() -> int:
    """Check the files named on the command line; 1 when there is a finding."""
    found = check_files(Path(name) for name in sys.argv[1:])
    for each in found:
        print(each)
    print(f"{len(found)} findings in {len(sys.argv) - 1} files", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
