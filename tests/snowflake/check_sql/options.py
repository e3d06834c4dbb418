"""The options of a statement: those with a closed list of values, those it needs, those that exclude each other."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.snowflake.check_sql.rules import Finding
from tests.snowflake.check_sql.statements import Piece
from tests.snowflake.check_sql.text import arguments, words

_BOOLEAN = "TRUE|FALSE"
_SCHEDULE = (
    r"\d+\s+(SECONDS?|MINUTES?|HOURS?|S|M|H)"
    r"|USING\s+CRON(\s+[\d*/,\-#LW]+){2}(\s+[\d*/,\-#LWA-Z]+){3}\s+[A-Z][A-Z\d_+\-]*(/[A-Z\d_+\-]+)*"
)
_FORMAT = {
    "TYPE": "CSV|JSON|AVRO|ORC|PARQUET|XML|CUSTOM",
    "COMPRESSION": "AUTO|GZIP|BZ2|BROTLI|ZSTD|DEFLATE|RAW_DEFLATE|NONE|SNAPPY|LZO",
    "BINARY_FORMAT": "HEX|BASE64|UTF-?8",
    "SKIP_HEADER": r"\d+",
    **dict.fromkeys(
        words(
            """
            PARSE_HEADER MULTI_LINE SKIP_BLANK_LINES TRIM_SPACE ERROR_ON_COLUMN_COUNT_MISMATCH REPLACE_INVALID_CHARACTERS
            EMPTY_FIELD_AS_NULL SKIP_BYTE_ORDER_MARK ENABLE_OCTAL ALLOW_DUPLICATE STRIP_OUTER_ARRAY STRIP_NULL_VALUES
            IGNORE_UTF8_ERRORS SNAPPY_COMPRESSION BINARY_AS_TEXT USE_LOGICAL_TYPE USE_VECTORIZED_SCANNER PRESERVE_SPACE
            STRIP_OUTER_ELEMENT DISABLE_AUTO_CONVERT
            """
        ),
        _BOOLEAN,
    ),
}
# By kind of statement, what the value of an option must match; the page of each is sql-reference/sql/create-…
VALUES = {
    "COPY INTO": {
        "ON_ERROR": r"CONTINUE|SKIP_FILE(_\d+%?)?|ABORT_STATEMENT",
        "MATCH_BY_COLUMN_NAME": "CASE_SENSITIVE|CASE_INSENSITIVE|NONE",
        "VALIDATION_MODE": r"RETURN_(\d+_)?ROWS|RETURN_(ALL_)?ERRORS",
        "LOAD_MODE": "FULL_INGEST|ADD_FILES_COPY",
        "SIZE_LIMIT": r"\d+",
        "MAX_FILE_SIZE": r"\d+",
        **dict.fromkeys(
            words(
                """
                PURGE FORCE RETURN_FAILED_ONLY ENFORCE_LENGTH TRUNCATECOLUMNS LOAD_UNCERTAIN_FILES OVERWRITE SINGLE
                INCLUDE_QUERY_ID DETAILED_OUTPUT HEADER
                """
            ),
            _BOOLEAN,
        ),
    },
    "FILE FORMAT": _FORMAT,
    "WAREHOUSE": {
        "WAREHOUSE_SIZE": "(X-?)?SMALL|MEDIUM|LARGE|X-?LARGE|(XX|X2|2X-|XXX|X3|3X-|X4|4X-|X5|5X-|X6|6X-)LARGE",
        "WAREHOUSE_TYPE": "STANDARD|SNOWPARK-OPTIMIZED|ADAPTIVE",
        "SCALING_POLICY": "STANDARD|ECONOMY",
        **dict.fromkeys(words("AUTO_RESUME INITIALLY_SUSPENDED ENABLE_QUERY_ACCELERATION"), _BOOLEAN),
    },
    "USER": {
        "TYPE": "PERSON|SERVICE|LEGACY_SERVICE|NULL",
        **dict.fromkeys(words("MUST_CHANGE_PASSWORD DISABLED"), _BOOLEAN),
    },
    "DYNAMIC TABLE": {
        "TARGET_LAG": r"\d+\s+(SECOND|MINUTE|HOUR|DAY)S?|DOWNSTREAM",
        "REFRESH_MODE": "AUTO|FULL|INCREMENTAL",
        "INITIALIZE": "ON_CREATE|ON_SCHEDULE",
    },
    "TASK": {"SCHEDULE": _SCHEDULE, "ALLOW_OVERLAPPING_EXECUTION": _BOOLEAN},
    "ALERT": {"SCHEDULE": _SCHEDULE},
    "STORAGE INTEGRATION": {"STORAGE_PROVIDER": "S3|S3GOV|S3CHINA|GCS|AZURE", "ENABLED": _BOOLEAN},
    "RESOURCE MONITOR": {"FREQUENCY": "MONTHLY|DAILY|WEEKLY|YEARLY|NEVER"},
    "STREAM": dict.fromkeys(words("APPEND_ONLY INSERT_ONLY SHOW_INITIAL_ROWS"), _BOOLEAN),
    "STAGE": {},
    "ENCRYPTION": {"TYPE": "AWS_CSE|AWS_SSE_S3|AWS_SSE_KMS|GCS_SSE_KMS|AZURE_CSE|SNOWFLAKE_FULL|SNOWFLAKE_SSE|NONE"},
}
# By kind, what a create must say: one option of each group.
NEEDED = {
    "DYNAMIC TABLE": ("TARGET_LAG|SCHEDULER", "WAREHOUSE"),
    "STORAGE INTEGRATION": ("TYPE", "STORAGE_PROVIDER", "ENABLED", "STORAGE_ALLOWED_LOCATIONS"),
}
_BEGINS = re.compile(
    r"(?P<copy>COPY INTO)\b|(?P<verb>CREATE|ALTER)( OR (REPLACE|ALTER))?( (TEMP(ORARY)?|TRANSIENT|VOLATILE))*"
    rf" (?P<kind>{'|'.join(VALUES)})\b"
)


def findings(pieces: list[Piece]) -> Iterator[Finding]:
    """What the options of a statement, and of one that it holds after `as`, show."""
    begun = _BEGINS.match(" ".join(piece.word for piece in pieces[:6]))
    kind = begun and (begun["copy"] or begun["kind"])
    head, body = _halves(pieces)
    if begun and kind:
        given = dict(_options(head))
        yield from _values(kind, given)
        copied = any(piece.word in ("CLONE", "FROM") for piece in head)
        needed = NEEDED.get(kind, ()) if begun["verb"] == "CREATE" and not copied else ()
        missing = [each.partition("|")[0].lower() for each in needed if not set(each.split("|")) & set(given)]
        if missing:
            yield Finding("option", head[0].line, f"create {kind.lower()}", why=f"it needs {' and '.join(missing)}")
    if body:
        yield from findings(body)


def _halves(pieces: list[Piece]) -> tuple[list[Piece], list[Piece]]:
    """A statement before its `as`, and the statement after it."""
    at = 0
    while at < len(pieces):
        if pieces[at].word == "AS":
            return pieces[:at], pieces[at + 1 :]
        at = arguments(pieces, at)[1] + 1 if pieces[at].written == "(" else at + 1
    return pieces, []


def _options(pieces: list[Piece]) -> Iterator[tuple[str, list[Piece]]]:
    """Each option of a list, and its value: one piece, or all those up to the closing parenthesis."""
    at = 0
    while at < len(pieces):
        if pieces[at].word and at + 2 < len(pieces) and pieces[at + 1].written == "=":
            end = arguments(pieces, at + 2)[1] if pieces[at + 2].written == "(" else at + 2
            yield pieces[at].word, pieces[at + 2 : end + 1]
            at = end + 1
        else:
            at = arguments(pieces, at)[1] + 1 if pieces[at].written == "(" else at + 1


def _values(kind: str, given: dict[str, list[Piece]]) -> Iterator[Finding]:
    for option, value in given.items():
        if (within := option.replace("_", " ")) in VALUES and value[0].written == "(":
            yield from _values(within, dict(_options(value[1:-1])))
        elif value[0].kind == "sign" or "$" in value[0].word:
            continue  # a bound value or a variable
        elif not re.fullmatch(VALUES[kind].get(option, ".*"), _plain(value), re.DOTALL):
            yield Finding("option", value[0].line, f"{option.lower()} = {value[0].written}")
    if _plain(given.get("PARSE_HEADER", [])) == "TRUE" and _plain(given.get("SKIP_HEADER", [])) not in ("", "0"):
        why = "parse_header takes the names from the first line itself"
        yield Finding("option", given["SKIP_HEADER"][0].line, "parse_header and skip_header", why=why)


def _plain(value: list[Piece]) -> str:
    return "".join(piece.written.strip("'") for piece in value).upper()
