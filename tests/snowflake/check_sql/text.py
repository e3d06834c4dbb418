"""What the words of a statement show: patterns of `rules.py`, functions and their arguments, types, reserved words."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from tests.snowflake.check_sql.rules import RULES, Finding
from tests.snowflake.check_sql.statements import Piece, Statement


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


# By name, the least and the greatest number of arguments; None where any number is taken.
FUNCTIONS: dict[str, tuple[int, int] | None] = {}
for _line in Path(__file__).with_name("functions.txt").read_text(encoding="utf-8").splitlines():
    if _line and not _line.startswith("#"):
        _name, _, _counts = _line.partition(" ")
        _least, _, _most = _counts.partition("-")
        FUNCTIONS[_name] = (int(_least), int(_most or (99 if "-" in _counts else _least))) if _counts else None
FAMILIES = ("AI_", "H3_", "ST_", "SYSTEM$", "VECTOR_")
OWN_FUNCTIONS = frozenset(("NFC",))  # what the bootstrap creates

TYPES = words(
    """
    NUMBER DECIMAL DEC NUMERIC INT INTEGER BIGINT SMALLINT TINYINT BYTEINT FLOAT FLOAT4 FLOAT8 DOUBLE REAL DECFLOAT
    VARCHAR CHAR CHARACTER NCHAR STRING TEXT NVARCHAR NVARCHAR2 BINARY VARBINARY BOOLEAN DATE DATETIME TIME TIMESTAMP
    TIMESTAMP_NTZ TIMESTAMP_LTZ TIMESTAMP_TZ TIMESTAMPNTZ TIMESTAMPLTZ TIMESTAMPTZ VARIANT OBJECT ARRAY MAP GEOGRAPHY
    GEOMETRY VECTOR FILE UUID
    """
)
INDEXED = words("VARIANT ARRAY OBJECT MAP")
# Words that may stand before a parenthesis and are no function.
KEYWORDS = words(
    """
    ALL AND ANY AS AT BEFORE BETWEEN BY CASE CHANGES CHECK CLUSTER COLUMNS CROSS CUBE DISTINCT ELSE END ESCAPE EXCEPT
    EXCLUDE EXISTS FILES FILE_FORMAT FOR FROM FULL GROUP HAVING ILIKE IN INNER INTERSECT INTO IS JOIN KEY LATERAL LIKE
    LIMIT MINUS NOT OFFSET ON OR ORDER OUTER OVER PARTITION PIVOT QUALIFY RECURSIVE REFERENCES RENAME REPLACE RLIKE ROLLUP
    ROWS SELECT SET SETS SOME TABLE THEN TOP UNION UNIQUE UNPIVOT USING VALUES WHEN WHERE WITH WITHIN MATCH_CONDITION
    MATCH_RECOGNIZE PATTERN DEFINE MEASURES SUBSET SAMPLE TABLESAMPLE SEED REPEATABLE ROW BLOCK BERNOULLI SYSTEM RETURNS
    IDENTITY AUTOINCREMENT DEFAULT CALL CONNECT PRIOR RETURN FINAL RUNNING IMPORTS PACKAGES HANDLER SECRETS OF MERGE NAMES
    TAG POLICY ACCESS VALUE OVERWRITE NAME COLLATE INTERVAL LET FETCH CURSOR GRANTS TRUE FALSE NULL DIRECTORY INSERT
    SEMANTIC_VIEW TEMPLATE ASYNC KEYS LINEAR
    """
)
# Words after which a name with a parenthesis is a relation and its columns, or what a statement makes or names.
BEFORE_RELATION = words("AS EXISTS INTO REFERENCES TABLE VIEW WITH RECURSIVE FUNCTION PROCEDURE CALL POLICY CONSTRAINT")
BEFORE_FUNCTION = words(
    """
    SELECT DISTINCT ALL WHERE AND OR NOT ON HAVING QUALIFY CASE WHEN THEN ELSE BY IN LIKE ILIKE BETWEEN SET FROM JOIN VALUES
    RETURN IS USING LIMIT OFFSET DEFAULT LATERAL RLIKE REGEXP TOP ESCAPE INTERVAL OF PRIOR DEFINE MEASURES IF DO
    """
)
RESERVED = words(
    """
    ALL ALTER AND ANY AS BETWEEN BY CHECK COLUMN CONNECT CREATE CURRENT DELETE DISTINCT DROP ELSE EXISTS FOLLOWING FOR FROM
    GRANT GROUP HAVING ILIKE IN INCREMENT INSERT INTERSECT INTO IS LIKE MINUS NOT NULL OF ON OR ORDER QUALIFY REGEXP REVOKE
    RLIKE ROW ROWS SAMPLE SELECT SET SOME START TABLE TABLESAMPLE THEN TO TRIGGER UNION UNIQUE UPDATE VALUES WHENEVER WHERE
    WITH
    """
)
NO_COLUMN = words("CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP LOCALTIME LOCALTIMESTAMP CONSTRAINT")
NO_RELATION = words("CROSS FULL INNER JOIN LATERAL LEFT NATURAL RIGHT USING")
PARTS = words(
    """
    YEAR Y YY YYY YYYY YR YEARS YRS MONTH MM MON MONS MONTHS DAY D DD DAYS DAYOFMONTH DAYOFWEEK WEEKDAY DOW DW DAYOFWEEKISO
    DAYOFWEEK_ISO WEEKDAY_ISO DOW_ISO DW_ISO DAYOFYEAR YEARDAY DOY DY WEEK W WK WEEKOFYEAR WOY WY WEEKISO WEEK_ISO
    WEEKOFYEARISO WEEKOFYEAR_ISO QUARTER Q QTR QTRS QUARTERS YEAROFWEEK YEAROFWEEKISO HOUR H HH HR HOURS HRS MINUTE M MI MIN
    MINUTES MINS SECOND S SEC SECONDS SECS MILLISECOND MS MSEC MILLISECONDS MICROSECOND US USEC MICROSECONDS NANOSECOND NS
    NSEC NANOSEC NSECOND NANOSECONDS NANOSECS NSECONDS EPOCH_SECOND EPOCH EPOCH_SECONDS EPOCH_MILLISECOND EPOCH_MILLISECONDS
    EPOCH_MICROSECOND EPOCH_MICROSECONDS EPOCH_NANOSECOND EPOCH_NANOSECONDS TIMEZONE_HOUR TZH TIMEZONE_MINUTE TZM WEEKS
    """
)
# Functions whose argument of this number (from 0) is a part.
PARTED = {
    **dict.fromkeys(words("DATEADD DATEDIFF DATE_PART DATE_TRUNC TIMEADD TIMEDIFF TIMESTAMPADD TIMESTAMPDIFF"), 0),
    **dict.fromkeys(words("LAST_DAY"), 1),
    **dict.fromkeys(words("TIME_SLICE"), 2),
}
REGEX = words("REGEXP_LIKE REGEXP_REPLACE REGEXP_SUBSTR REGEXP_SUBSTR_ALL REGEXP_COUNT REGEXP_INSTR RLIKE REGEXP")
IN_PATTERNS = words("FIRST LAST CLASSIFIER MATCH_NUMBER MATCH_SEQUENCE_NUMBER")
IN_BLOCKS = words("IF ELSEIF WHILE UNTIL RESULTSET")
LAMBDAS = words("FILTER TRANSFORM REDUCE ACCUMULATE")
WITHIN = words("ARRAY_AGG LISTAGG")


def findings(statement: Statement, known: frozenset[str] = frozenset()) -> Iterator[Finding]:
    """What the words of a statement show; `known` are functions that are created beside it."""
    code = re.sub(r"\b(pattern\s*)\(([^()]|\([^()]*\))*\)", r"\1()", statement.code, flags=re.IGNORECASE)
    skipped = {"assignment", "operator"} if statement.scripted else set()
    skipped |= {"integer-division"} if statement.first in ("PUT", "GET") else set()
    for name, rule in RULES.items():
        for match in re.finditer(rule.pattern, code, re.IGNORECASE) if rule.pattern and name not in skipped else ():
            line = statement.line + code.count("\n", 0, match.start() + len(match[0]) - len(match[0].lstrip()))
            yield Finding(name, line, " ".join(match[0].split()) or match[0])
    for one, other in itertools.pairwise(statement.pieces):
        if one.kind == other.kind == "text":  # one text to others
            yield Finding("literal", other.line, f"{one.written} {other.written}")
    alert = re.match(r"\s*create\b[^(]*\balert\b", code, re.IGNORECASE)
    known |= IN_BLOCKS if statement.scripted or alert else frozenset()
    if statement.first != "ALTER":
        yield from _functions(statement.pieces, known)
    yield from _types(statement.pieces)
    yield from _reserved(statement.pieces)


def arguments(pieces: list[Piece], opening: int) -> tuple[list[list[Piece]], int]:
    """The arguments within the parenthesis at `opening`, and the index of the one that closes it."""
    found: list[list[Piece]] = [[]]
    depth = 0
    for at in range(opening, len(pieces)):
        written = pieces[at].written if pieces[at].kind == "sign" else ""
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(written, 0)
        if depth == 0:
            return ([] if found == [[]] else found), at
        if depth == 1 and written == ",":
            found.append([])
        elif at > opening:
            found[-1].append(pieces[at])
    return found, len(pieces) - 1


def _functions(pieces: list[Piece], known: frozenset[str]) -> Iterator[Finding]:
    if any(piece.word == "MATCH_RECOGNIZE" for piece in pieces):
        known |= IN_PATTERNS
    for at, piece in enumerate(pieces[:-1]):
        name = piece.word
        if not name or pieces[at + 1].written != "(":
            continue
        before = pieces[at - 1] if at else Piece("sign", "", piece.line)
        given, end = arguments(pieces, at + 1)
        if (
            name in KEYWORDS - {"REPLACE", "RLIKE"}
            or before.word in BEFORE_RELATION
            or before.written in ("@", "$", "!")
        ):
            continue
        if before.written == ".":
            # `schema.function(…)` is somebody's own; a built-in one after a dot is a method.
            if (
                name in FUNCTIONS
                and at > 1
                and name not in ("TABLE",)
                and pieces[at - 2].word not in ("SNOWFLAKE", "INFORMATION_SCHEMA", "CORTEX")
            ):
                yield Finding("method", piece.line, f".{piece.written}()")
            continue
        if name in TYPES and not FUNCTIONS.get(name) and (given or before.word not in BEFORE_FUNCTION):
            continue
        if _is_relation(pieces, at, end):
            continue
        if name == "REPLACE" and any(each.word == "AS" for argument in given for each in argument):
            continue
        if name not in FUNCTIONS:
            if (before.kind == "word" and before.word not in BEFORE_FUNCTION) or _in_stage(pieces, at):
                continue  # an alias or a definition with a list
            if name not in OWN_FUNCTIONS | known and not name.startswith(FAMILIES):
                yield Finding("function", piece.line, f"{piece.written}()")
            continue
        yield from _arguments(piece, given)
        if name in ("REGEXP_LIKE", "REGEXP_REPLACE") or name in REGEX:
            yield from _patterns(name, given)
    for at, piece in enumerate(pieces[:-1]):
        if piece.word in ("RLIKE", "REGEXP") and pieces[at + 1].kind == "text":
            yield from _patterns(piece.word, [[], [pieces[at + 1]]])


def _arguments(piece: Piece, given: list[list[Piece]]) -> Iterator[Finding]:
    name = piece.word
    counts = FUNCTIONS[name]
    inner = [[each.word for each in argument] for argument in given]
    named = any(each.written == "=>" for argument in given for each in argument)
    starred = any(argument[-1:] and argument[-1].written in ("*", "**") for argument in given)
    if name == "DATE_PART" and any("FROM" in argument for argument in inner):
        counts = None
    if counts and not named and not starred and not counts[0] <= len(given) <= counts[1]:
        wanted = (
            str(counts[0])
            if counts[0] == counts[1]
            else f"{counts[0]} to {counts[1]}"
            if counts[1] < 99
            else f"{counts[0]} or more"
        )
        yield Finding(
            "arguments", piece.line, f"{piece.written}()", why=f"it takes {wanted} arguments, not {len(given)}"
        )
    for argument, written in zip(inner, given, strict=True):
        depth = 0
        for at, each in enumerate(written):
            depth += {"(": 1, ")": -1}.get(each.written, 0)
            if depth == 0 and each.word == "ORDER" and argument[at + 1 : at + 2] == ["BY"]:
                yield Finding("argument-form", each.line, f"{piece.written}(… order by …)")
            if depth == 0 and each.written == "->" and name not in LAMBDAS:
                yield Finding("lambda", each.line, f"{piece.written}(… -> …)")
            if depth == 0 and each.word in ("FROM", "FOR") and name in ("TRIM", "SUBSTRING", "SUBSTR", "OVERLAY"):
                yield Finding("argument-form", each.line, f"{piece.written}(… {each.written} …)")
    if name in PARTED and len(given) > PARTED[name]:
        yield from _part(given[PARTED[name]])
    if name == "EXTRACT" and given and len(given[0]) > 1 and given[0][1].word == "FROM":
        yield from _part(given[0][:1])


def _part(argument: list[Piece]) -> Iterator[Finding]:
    if len(argument) == 1 and argument[0].kind in ("word", "text"):
        part = argument[0].written.strip("'").upper()
        if part not in PARTS and not part.startswith("$"):
            yield Finding("date-part", argument[0].line, argument[0].written)


def _patterns(name: str, given: list[list[Piece]]) -> Iterator[Finding]:
    for piece in given[1] if len(given) > 1 else ():
        if piece.kind in ("text", "dollars"):
            if re.search(r"(?<!\\)[*+?}]\?|\(\?|\\[1-9]", piece.written):
                yield Finding("regex", piece.line, piece.written)
            if piece.kind == "text" and re.search(r"(?<!\\)(\\\\)*\\[dDwWsSbB.()\[\]+*?|{}^$]", piece.written):
                yield Finding("regex-escape", piece.line, piece.written)
    if name == "REGEXP_REPLACE" and len(given) > 3 and given[3][:1] and given[3][0].kind == "text":
        yield Finding("regex-flags", given[3][0].line, given[3][0].written)


def _in_stage(pieces: list[Piece], at: int) -> bool:
    """Whether the name is the end of a stage's path: `@db.schema.stage/folder/name`."""
    while at and (pieces[at - 1].written in (".", "/", "-") or pieces[at].written in (".", "/", "-")):
        at -= 1
    return at > 0 and pieces[at - 1].written in ("@", "~", "%")


def _is_relation(pieces: list[Piece], at: int, end: int) -> bool:
    """Whether the name is an alias or a common table expression with a list of columns."""
    before = pieces[at - 1] if at else None
    after, opens = (pieces[end + n].written.upper() if end + n < len(pieces) else "" for n in (1, 2))
    if before and before.written == ")" and not after.startswith("."):
        return True
    return bool(before) and before.written == "," and after == "AS" and opens == "("


def _types(pieces: list[Piece]) -> Iterator[Finding]:
    depth, casts = 0, []
    for at, piece in enumerate(pieces):
        if piece.written == "(":
            depth += 1
            casts += [depth] if at and pieces[at - 1].word in ("CAST", "TRY_CAST") else []
        elif piece.written == ")":
            casts = casts[:-1] if casts[-1:] == [depth] else casts
            depth -= 1
        begins = piece.written == "::" or (piece.word == "AS" and casts[-1:] == [depth])
        if begins and at + 1 < len(pieces):
            yield from _type(pieces, at + 1)


def _type(pieces: list[Piece], at: int) -> Iterator[Finding]:
    piece = pieces[at]
    if piece.word not in TYPES and piece.word not in ("INTERVAL",):
        yield Finding("type", piece.line, piece.written)
        return
    after = at + 1
    if after < len(pieces) and pieces[after].written == "(":
        _, after = arguments(pieces, after)
        after += 1
    bracket = [each.written for each in pieces[after : after + 3]]
    if bracket[:2] == ["[", "]"] or (bracket[:1] == ["["] and bracket[2:] == ["]"] and piece.word not in INDEXED):
        yield Finding("type", piece.line, f"{piece.written}[]")


def _reserved(pieces: list[Piece]) -> Iterator[Finding]:
    for at, piece in enumerate(pieces[1:], 1):
        before = pieces[at - 1].word
        after = pieces[at + 1].word if at + 1 < len(pieces) else ""
        closed = (
            at + 1 >= len(pieces)
            or pieces[at + 1].written in (",", ")")
            or after in ("FROM", "WHERE", "ON", "GROUP", "ORDER", "JOIN", "INNER", "LEFT", "UNION", "LIMIT", "QUALIFY")
        )
        if before == "AS" and closed and piece.word in RESERVED | NO_COLUMN | NO_RELATION:
            yield Finding("reserved", piece.line, f"as {piece.written}")
