"""Staged CSV files: `copy into … from (select $1::int, …, metadata$filename, … from @stage)`, and
`select … from @stage/file (file_format => …)`.

fakesnow copies CSV files without a transformation only, and selects from no stage. Every option that this module does
not honour is refused, so that a file format that would read differently on Snowflake is not accepted in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from duckdb import DuckDBPyConnection
from fakesnow.copy_into import stage_url_from_var
from fakesnow.transforms.file_format import lookup_file_format
from fakesnow.transforms.options import parse_options
from fakesnow.transforms.stage import TableStages
from sqlglot import exp, parse_one

HONOURED: dict[str, tuple[Any, ...]] = {
    "TYPE": ("CSV",),
    "COMPRESSION": ("ZSTD", "GZIP", "NONE"),
    "FIELD_DELIMITER": (",",),
    "RECORD_DELIMITER": ("\\n", "\n"),
    "SKIP_HEADER": (0, 1),
    "FIELD_OPTIONALLY_ENCLOSED_BY": ('"',),
    "ESCAPE": ("NONE",),
    "ESCAPE_UNENCLOSED_FIELD": ("NONE",),
    "NULL_IF": ([],),
    "EMPTY_FIELD_AS_NULL": (True,),
    "TRIM_SPACE": (False,),
    "REPLACE_INVALID_CHARACTERS": (False,),
    "ERROR_ON_COLUMN_COUNT_MISMATCH": (True,),
    "SKIP_BLANK_LINES": (False,),
    "ENCODING": ("UTF8", "UTF-8"),
    "BINARY_FORMAT": ("HEX",),
    "DATE_FORMAT": ("AUTO",),
    "TIME_FORMAT": ("AUTO",),
    "TIMESTAMP_FORMAT": ("AUTO",),
    "MULTI_LINE": (True,),
}
MAX_FILES = 1000


@dataclass(frozen=True)
class Loaded:
    """A file that a COPY loaded, and its rows."""

    file: str
    rows: int


@dataclass(frozen=True)
class Copy:
    """One COPY: `urls` of the files and their `names` inside the stage, the file format's `options`."""

    target: exp.Expr
    select: exp.Select
    urls: tuple[str, ...]
    names: tuple[str, ...]
    options: dict[str, Any]


def is_transformation(statement: exp.Expr) -> bool:
    """Whether the statement is a COPY from a select over a stage."""
    return isinstance(statement, exp.Copy) and isinstance(statement.args["files"][0], exp.Subquery)


def understand(statement: exp.Copy, connection: DuckDBPyConnection, database: str | None, schema: str | None) -> Copy:
    """What a COPY asks for. Raises NotImplementedError for anything that is not emulated, or that Snowflake refuses."""
    select = statement.args["files"][0].this
    _is_plain(select)
    options = _copy_options(statement, connection, database, schema)
    source = select.args["from_"].this.name
    target = statement.this.find(exp.Table)
    url = stage_url_from_var(source[1:], connection, database, schema, TableStages(connection), target)
    files = options.pop("FILES")
    urls = tuple(f"{url.rstrip('/')}/{file.lstrip('/')}" for file in files)
    return Copy(statement.this, select, urls, tuple(u.split("/", 3)[3] for u in urls), options)


def insert(copy: Copy, number: int, first_row: int) -> str:
    """DuckDB's statement that loads file `number` (from 0), whose rows are numbered from `first_row`."""
    rows = _staged_rows(copy.select, copy.urls[number], copy.options, first_row)
    return f"insert into {copy.target.sql(dialect='duckdb')} {rows}"


def is_staged_query(statement: exp.Expr) -> bool:
    """Whether the statement is a query of a stage."""
    source = statement.args.get("from_") if isinstance(statement, exp.Select) else None
    return source is not None and source.this.name.startswith("@")


def staged_query(
    select: exp.Select, connection: DuckDBPyConnection, database: str | None, schema: str | None, first_row: int
) -> exp.Expr:
    """DuckDB's form of a query of one staged file, whose rows are numbered from `first_row`."""
    _is_plain(select)
    source = select.args["from_"].this
    format_ = exp.Property(this=exp.var("FORMAT_NAME"), value=source.args["format"])
    options = _format_options([format_], connection, database, schema)
    url = stage_url_from_var(source.name[1:], connection, database, schema, TableStages(connection), source)
    lines = f"read_csv('{url}', columns = {{'line': 'VARCHAR'}}, auto_detect = false, delim = '\x01', quote = '')"
    header = connection.execute(f"select line from {lines} limit 1").fetchone()
    width = header[0].count(",") + 1 if header else 1
    return parse_one(_staged_rows(select, url, options, first_row, width), read="duckdb")


def _is_plain(select: exp.Select) -> None:
    extra = [name for name, value in select.args.items() if value and name not in ("expressions", "from_", "kind")]
    if extra:
        raise NotImplementedError(f"{', '.join(extra)} in a query of a stage (in a COPY, Snowflake refuses it too)")


def _staged_rows(select: exp.Select, url: str, options: dict[str, Any], first_row: int, width: int = 1) -> str:
    named = [int(found.name) for found in select.find_all(exp.Parameter) if found.name.isdigit()]
    width = max([width, *named])

    def substitute(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column) and isinstance(node.this, exp.Parameter):
            node = node.this
        if isinstance(node, exp.Parameter) and node.name.isdigit():
            return exp.column(f"column{int(node.name)}")
        if isinstance(node, exp.Column) and node.name.upper() == "METADATA$FILENAME":
            return exp.Literal.string(url.split("/", 3)[3])
        if isinstance(node, exp.Column) and node.name.upper() == "METADATA$FILE_ROW_NUMBER":
            return exp.column("file_row_number")
        return node

    values = ", ".join(e.copy().transform(substitute).sql(dialect="duckdb") for e in select.expressions)
    columns = ", ".join(f"'column{n}': 'VARCHAR'" for n in range(1, width + 1))
    path = url.replace("'", "''")
    # Explicit columns and no detection: DuckDB would guess another delimiter, or 007 to be a number.
    # An unquoted empty field is NULL and a quoted one is not, as EMPTY_FIELD_AS_NULL means.
    return (
        f"select {values} from (select *, row_number() over () + {first_row - 1} as file_row_number from read_csv('{path}', "
        f"columns = {{{columns}}}, auto_detect = false, header = false, skip = {options.get('SKIP_HEADER', 0)}, "
        f"delim = ',', quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false, "
        f"compression = '{str(options.get('COMPRESSION', 'NONE')).lower()}', hive_partitioning = false))"
    )


def result(loaded: Sequence[Loaded]) -> exp.Expr:
    """The rows that Snowflake returns for a COPY, as a select."""
    columns = ("file", "status", "rows_parsed", "rows_loaded", "error_limit", "errors_seen")
    rows: list[tuple[Any, ...]] = [(file.file, "LOADED", file.rows, file.rows, 1, 0) for file in loaded]
    return exp.select(*(exp.column(name, quoted=True) for name in columns)).from_(
        exp.values(rows, alias="t", columns=list(columns))
    )


def _copy_options(
    statement: exp.Copy, connection: DuckDBPyConnection, database: str | None, schema: str | None
) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for parameter in statement.args.get("params", []):
        name = parameter.name.upper()
        if name == "FILE_FORMAT":
            given["FORMAT"] = _format_options(parameter.expressions, connection, database, schema)
        elif name == "FILES":
            given["FILES"] = [literal.name for literal in parameter.find_all(exp.Literal)]
        else:
            given[name] = str(parameter.expression.name or parameter.expression.this).upper()
    wanted = {"FORCE": "TRUE", "ON_ERROR": "ABORT_STATEMENT", "PURGE": "FALSE"}
    for name, value in given.items():
        if name not in ("FORMAT", "FILES") and wanted.get(name) != value:
            raise NotImplementedError(f"COPY option {name} = {value}")
    if given.get("FORCE") != "TRUE":
        raise NotImplementedError("COPY without FORCE = TRUE: the emulator keeps no load history")
    if not 1 <= len(given.get("FILES", ())) <= MAX_FILES:
        raise NotImplementedError(f"COPY without FILES = (…), or with more than the {MAX_FILES} names Snowflake takes")
    return {**given.get("FORMAT", {}), "FILES": given["FILES"]}


def _format_options(
    properties: Sequence[exp.Property],
    connection: DuckDBPyConnection,
    database: str | None,
    schema: str | None,
) -> dict[str, Any]:
    named = [p for p in properties if p.name.upper() == "FORMAT_NAME"]
    options = parse_options([p for p in properties if p not in named])
    for found in named:
        value = found.args["value"]
        name = value.name if isinstance(value, exp.Literal) else value.sql(dialect="snowflake")
        options = {**lookup_file_format(connection, name, database, schema), **options}
    for option, value in options.items():
        normal = value.upper() if isinstance(value, str) else value
        if option not in HONOURED or normal not in HONOURED[option]:
            raise NotImplementedError(f"file format option {option} = {value!r}")
    return options
