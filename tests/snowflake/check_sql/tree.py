"""What the syntax tree of a statement shows: types, joins, set operators, inserts, copies, what is created."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import Expr, exp

from tests.snowflake.check_sql.nodes import SETS, countable, is_aggregate, line_of, shown
from tests.snowflake.check_sql.queries import has_window, in_select, in_window, is_ordered
from tests.snowflake.check_sql.rules import Finding
from tests.snowflake.check_sql.text import words

COPY_FUNCTIONS = words(
    """
    ARRAY_CONSTRUCT ARRAY_SIZE ASCII CASE CAST CEIL CHECK_JSON CHECK_XML CHR CHAR CONCAT CONVERT_TIMEZONE ENDSWITH ENDS_WITH
    EQUAL_NULL FLOOR GET GET_PATH HEX_DECODE_STRING HEX_ENCODE IFF IF IFNULL IS_ARRAY IS_BOOLEAN IS_DECIMAL IS_INTEGER
    IS_NULL_VALUE IS_OBJECT IS_TIME LENGTH LEN LPAD LTRIM MD5 MD5_HEX NULLIF NVL NVL2 OBJECT_CONSTRUCT PARSE_IP PARSE_JSON
    PARSE_URL PARSE_XML RANDOM RAND REGEXP_REPLACE REGEXP_SUBSTR REGEXP_EXTRACT REPLACE REVERSE RPAD RTRIM SPLIT SPLIT_PART
    STARTSWITH STARTS_WITH SUBSTR SUBSTRING TO_ARRAY TO_BINARY TO_BOOLEAN TO_CHAR TO_VARCHAR TO_DATE DATE TO_DECFLOAT
    TO_DECIMAL TO_NUMBER TO_NUMERIC TO_DOUBLE TO_OBJECT TO_TIME TIME TO_TIMESTAMP TO_TIMESTAMP_NTZ TO_TIMESTAMP_LTZ
    TO_TIMESTAMP_TZ TO_VARIANT TRIM TRY_CAST TRY_HEX_DECODE_STRING TRY_TO_BINARY TRY_TO_BOOLEAN TRY_TO_DATE TRY_TO_DECFLOAT
    TRY_TO_DECIMAL TRY_TO_NUMBER TRY_TO_NUMERIC TRY_TO_DOUBLE TRY_TO_TIME UNICODE UUID_STRING XMLGET COALESCE TS_OR_DS_TO_DATE
    STR_TO_TIME STR_TO_DATE DPIPE LOWER_HEX PAD JSON_EXTRACT ARRAY AND OR XOR STR_POSITION
    """
)
MOST_FILES = 1000
_FOREIGN = {
    found
    for name in words(
        """
        UBIGINT UINT USMALLINT UTINYINT UMEDIUMINT INT128 INT256 UINT128 UINT256 LIST STRUCT ENUM HUGEINT UHUGEINT BLOB BIT
        TIMESTAMP_S TIMESTAMP_MS TIMESTAMP_NS JSON JSONB USERDEFINED SERIAL BIGSERIAL UNION MONEY INET
        """
    )
    if (found := getattr(exp.DataType.Type, name, None))
}
# Of a type that has a size, the greatest.
_SIZES = {
    **dict.fromkeys(words("DECIMAL"), (38, 37)),
    **dict.fromkeys(words("TIMESTAMP TIMESTAMPNTZ TIMESTAMPLTZ TIMESTAMPTZ TIME DATETIME"), (9,)),
    **dict.fromkeys(words("VARCHAR CHAR TEXT NVARCHAR NCHAR"), (134_217_728,)),
    **dict.fromkeys(words("BINARY VARBINARY"), (67_108_864,)),
}
_COPY_OPTIONS = words(
    """
    FILES PATTERN FILE_FORMAT ON_ERROR SIZE_LIMIT PURGE RETURN_FAILED_ONLY MATCH_BY_COLUMN_NAME INCLUDE_METADATA
    ENFORCE_LENGTH TRUNCATECOLUMNS FORCE LOAD_UNCERTAIN_FILES FILE_PROCESSOR LOAD_MODE VALIDATION_MODE CLUSTER_AT_INGEST_TIME
    STORAGE_INTEGRATION CREDENTIALS ENCRYPTION OVERWRITE SINGLE MAX_FILE_SIZE INCLUDE_QUERY_ID DETAILED_OUTPUT HEADER
    """
) | {"PARTITION BY"}
_NAMED = (exp.Table, exp.Subquery, exp.CTE, exp.Lateral, exp.TableFromRows, exp.Values, exp.Pivot, exp.Unnest)
_READ_DIRECTLY = ("IDENTIFIER(", "SEMANTIC_VIEW(", "DIRECTORY(")


def findings(tree: Expr, line: int) -> Iterator[Finding]:
    """What a statement's tree shows; `line` is that of its first line."""
    for node in tree.walk():
        for rule, broken in _broken(node):
            yield Finding(rule, line + line_of(broken) - 1, shown(broken))
    for column in _unknown(tree):
        yield Finding("name", line + line_of(column) - 1, shown(column))


def _unknown(tree: Expr) -> Iterator[exp.Column]:
    """The columns of relations that the statement does not name."""
    tables = list(tree.find_all(exp.Table))
    if any(not isinstance(each.this, exp.Identifier) for each in tables) or tree.find(exp.MatchRecognize, exp.Connect):
        return
    named = {each.alias_or_name.lower() for each in tree.find_all(*_NAMED)} | {each.name.lower() for each in tables}
    for column in tree.find_all(exp.Column):
        unknown = column.table and column.table.lower() not in named and column.name.lower() != "nextval"
        if unknown and column.find_ancestor(exp.Select):
            yield column


def _broken(node: Expr) -> Iterator[tuple[str, Expr]]:
    if is_ordered(node) and not has_window(node):
        yield "order-of-window", node
    elif isinstance(node, (exp.Sum, exp.Avg, exp.Min, exp.Max)) and isinstance(node.this, exp.Star):
        yield "argument-form", node
    elif isinstance(node, exp.DataType):
        if node.this in _FOREIGN or _is_of_no_size(node):
            yield "type", node
    elif isinstance(node, (exp.PercentileCont, exp.PercentileDisc)) and not isinstance(node.parent, exp.WithinGroup):
        yield "argument-form", node
    elif isinstance(node, exp.Interval) and not isinstance(
        node.parent, (exp.Add, exp.Sub, exp.WindowSpec, exp.DataType)
    ):
        yield "interval", node
    elif isinstance(node, exp.Join) and (node.args.get("on") or node.args.get("using")):
        if node.kind == "CROSS":
            yield "join", node
        function = isinstance(node.this, (exp.Lateral, exp.TableFromRows)) and node.this.this
        if function and not isinstance(function, exp.Subquery) and function.find(exp.Column):
            yield "lateral", node
    elif (
        isinstance(node, exp.Table)
        and isinstance(node.this, exp.Func)
        and isinstance(node.parent, (exp.From, exp.Join))
    ):
        if not shown(node).upper().startswith(_READ_DIRECTLY):
            yield "table-function", node
    elif isinstance(node, exp.Merge):
        for when in node.args["whens"].expressions:
            if isinstance(when.args["then"], exp.Update) and when.args["then"].args.get("where"):
                yield "merge", when
    elif isinstance(node, exp.Window):
        yield from in_window(node)
    elif isinstance(node, exp.Select):
        yield from in_select(node)
    elif isinstance(node, (exp.Mul, exp.Div)) and node.find(exp.Interval):
        yield "interval", node
    elif isinstance(node, SETS):
        left, right = node.left.selects, node.right.selects
        if not node.args.get("by_name") and countable(left, right) and len(left) != len(right):
            yield "columns-count", node
    elif isinstance(node, exp.Insert):
        yield from _insert(node)
    elif isinstance(node, exp.Copy):
        yield from _copy(node)
    elif isinstance(node, exp.Create):
        yield from _created(node)
    elif isinstance(node, exp.ArrayContains) and any(isinstance(each, exp.Array) for each in (node.expression,)):
        yield "operand", node


def _is_of_no_size(kind: exp.DataType) -> bool:
    if not isinstance(kind.this, exp.DataType.Type):
        return False  # an interval's units
    sizes = [int(each.name) for each in kind.expressions if isinstance(each, exp.DataTypeParam) and each.name.isdigit()]
    most = _SIZES.get(kind.this.value, (0,) * len(sizes))
    too_large = any(size > limit for size, limit in zip(sizes, most, strict=False))
    is_time = len(most) == 1 and most[0] < 10
    too_small = bool(sizes) and sizes[0] < 1 and not is_time
    return kind.this.value in _SIZES and (too_large or too_small or len(sizes) > len(most) or sizes[1:] > sizes[:1])


def _insert(node: exp.Insert) -> Iterator[tuple[str, Expr]]:
    columns = node.this.expressions if isinstance(node.this, exp.Schema) else []
    names = [each.name.lower() for each in columns]
    yield from (("name", each) for each in columns if names.count(each.name.lower()) > 1)
    if isinstance(node.expression, exp.Values):
        sizes = {len(row.expressions) if isinstance(row, exp.Tuple) else 1 for row in node.expression.expressions}
    elif isinstance(node.expression, exp.Select) and countable(node.expression.selects):
        sizes = {len(node.expression.selects)}
    else:
        return
    if len(sizes | ({len(columns)} if columns else set())) > 1:
        yield "columns-count", node


def _copy(node: exp.Copy) -> Iterator[tuple[str, Expr]]:
    for option in node.args.get("params") or ():
        files = list(option.find_all(exp.Literal)) if option.name.upper() == "FILES" else []
        if len(files) > MOST_FILES:
            yield "copy-limit", option
        if option.name.upper() not in _COPY_OPTIONS or not (option.expression or option.expressions):
            yield "copy", option
    if node.this.sql(dialect="snowflake")[:1] in "@'":
        return  # an unloading one, of any query
    for query in node.find_all(exp.Select):
        for clause in ("distinct", "where", "joins", "group", "having", "order", "limit", "qualify", "laterals"):
            if found := query.args.get(clause):
                yield "copy-select", found[0] if isinstance(found, list) else found
        yield from (("copy-select", each) for each in query.selects if each.is_star)
        for function in query.find_all(exp.Func):
            name = function.name if isinstance(function, exp.Anonymous) else function.sql_name()
            if name.upper() not in COPY_FUNCTIONS or is_aggregate(function):
                yield "copy-select", function


def _created(node: exp.Create) -> Iterator[tuple[str, Expr]]:
    if node.find(exp.MaterializedProperty) and node.kind == "VIEW":
        refused = (
            exp.Join,
            exp.Window,
            exp.Having,
            exp.Order,
            exp.Limit,
            exp.Qualify,
            exp.GroupingSets,
            exp.Cube,
            exp.Rollup,
        )
        yield from (("materialized-view", each) for each in node.find_all(*refused))
    names = [each.name.lower() for each in node.find_all(exp.ColumnDef)] if not node.expression else []
    if (
        isinstance(node.expression, exp.Query)
        and node.kind in ("TABLE", "VIEW")
        and not isinstance(node.this, exp.Schema)
    ):
        names = [
            each.alias_or_name.lower() for each in node.expression.selects if each.alias_or_name and not each.is_star
        ]
    listed = node.this.expressions if isinstance(node.this, exp.Schema) else []
    if listed and isinstance(node.expression, exp.Select) and countable(node.expression.selects):
        columns = [each for each in listed if isinstance(each, (exp.ColumnDef, exp.Identifier))]
        if len(columns) != len(node.expression.selects):
            yield "columns-count", node.this
    for name in {each for each in names if names.count(each) > 1}:
        yield "name", exp.to_identifier(name)
