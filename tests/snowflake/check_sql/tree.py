"""What the syntax tree of a statement shows: windows, aggregates, subqueries, set operators, copies."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import Expr, exp

from tests.snowflake.check_sql.rules import Finding
from tests.snowflake.check_sql.text import words

# Functions that need an order in their window.
ORDERED = re.compile(
    r"row_?number|(dense_|percent_)?rank|lag|lead|ntile|(first|last|nth)_?value|cume_dist", re.IGNORECASE
)
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
_READ_DIRECTLY = ("IDENTIFIER(", "SEMANTIC_VIEW(", "DIRECTORY(")
_SETS = (exp.Union, exp.Except, exp.Intersect)
_PREDICATES = (exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NEQ, exp.Between)


def findings(tree: Expr, line: int) -> Iterator[Finding]:
    """What a statement's tree shows; `line` is that of its first line."""
    for node in tree.walk():
        for rule, broken in _broken(node):
            yield Finding(rule, line + line_of(broken) - 1, shown(broken))


def line_of(node: Expr) -> int:
    """The line of a node within its statement."""
    return next((int(each.meta["line"]) for each in node.walk() if "line" in each.meta), 1)


def shown(node: Expr) -> str:
    """A node as SQL, cut short."""
    return node.sql(dialect="snowflake", comments=False)[:80]


def within(node: Expr | None, *kinds: type[Expr]) -> Iterator[Expr]:
    """The nodes of some kinds in a clause, but for those of a query inside it."""
    if node is not None:
        found = node.walk(prune=lambda each: isinstance(each, exp.Query) and each is not node)
        yield from (each for each in found if isinstance(each, kinds))


def is_aggregate(node: Expr) -> bool:
    """Whether the node aggregates rows: an aggregate function that is not a window's."""
    above = node.parent
    while isinstance(above, (exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls, exp.Filter)):
        above = above.parent
    window = isinstance(above, exp.Window) and node.find_ancestor(exp.Window) is above and _inside(node, above)
    return isinstance(node, exp.AggFunc) and not isinstance(node, (exp.RegrValx, exp.RegrValy)) and not window


def _inside(node: Expr, window: exp.Window) -> bool:
    return any(node is each for each in window.this.walk())


def _broken(node: Expr) -> Iterator[tuple[str, Expr]]:
    if isinstance(node, exp.DataType):
        if node.this in _FOREIGN or _is_too_large(node):
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
        if isinstance(node.this, exp.Lateral) and not isinstance(node.this.this, exp.Subquery):
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
        yield from _window(node)
    elif isinstance(node, exp.Select):
        yield from _clauses(node)
    elif isinstance(node, (exp.Mul, exp.Div)) and node.find(exp.Interval):
        yield "interval", node
    elif isinstance(node, _SETS):
        left, right = node.left.selects, node.right.selects
        if not node.args.get("by_name") and _countable(left, right) and len(left) != len(right):
            yield "columns-count", node
    elif isinstance(node, exp.Insert):
        yield from _insert(node)
    elif isinstance(node, exp.Copy):
        yield from _copy(node)
    elif isinstance(node, exp.Create):
        yield from _created(node)
    elif isinstance(node, exp.ArrayContains) and any(isinstance(each, exp.Array) for each in (node.expression,)):
        yield "operand", node


def _is_too_large(kind: exp.DataType) -> bool:
    if not isinstance(kind.this, exp.DataType.Type):
        return False  # an interval's units
    sizes = [int(each.name) for each in kind.expressions if isinstance(each, exp.DataTypeParam) and each.name.isdigit()]
    return any(size > most for size, most in zip(sizes, _SIZES.get(kind.this.value, ()), strict=False))


def _window(node: exp.Window) -> Iterator[tuple[str, Expr]]:
    function = node.this
    while isinstance(function, (exp.IgnoreNulls, exp.RespectNulls)):
        function = function.this
    name = function.name if isinstance(function, exp.Anonymous) else function.key
    if ORDERED.fullmatch(name) and not node.args.get("order"):
        yield "order-of-window", node
    distinct = isinstance(function, exp.AggFunc) and isinstance(function.this, exp.Distinct)
    if distinct and (node.args.get("order") or node.args.get("spec")):
        yield "window", node
    if isinstance(function, (exp.WithinGroup, exp.GroupConcat)) and (node.args.get("order") or node.args.get("spec")):
        yield "window", node


def _clauses(node: exp.Select) -> Iterator[tuple[str, Expr]]:
    for clause in ("where", "group"):
        for each in within(node.args.get(clause), exp.AggFunc, exp.Window):
            if isinstance(each, exp.Window) or (is_aggregate(each) and clause == "where"):
                yield "window", each
    for each in within(node.args.get("having"), exp.Window):
        yield "window", each
    for each in within(node, exp.AggFunc):
        if is_aggregate(each) and any(is_aggregate(inner) for inner in within(each, exp.AggFunc) if inner is not each):
            yield "window", each
    if qualify := node.args.get("qualify"):
        aliases = {each.alias for each in node.selects if each.find(exp.Window)}
        named = any(column.name in aliases for column in qualify.find_all(exp.Column))
        if not named and not qualify.find(exp.Window) and not any(each.find(exp.Window) for each in node.selects):
            yield "window", qualify
    for each in node.selects:
        if isinstance(each.unalias(), exp.Tuple):
            yield "struct", each
    yield from _grouping(node)
    yield from _order_of_distinct(node)
    yield from _subquery(node)


def _order_of_distinct(node: exp.Select) -> Iterator[tuple[str, Expr]]:
    order = node.args.get("order")
    if not node.args.get("distinct") or not order or any(each.is_star for each in node.selects):
        return
    shown_ = {_plain(each.unalias()) for each in node.selects} | {each.alias_or_name.lower() for each in node.selects}
    for each in order.expressions:
        if not each.this.is_int and _plain(each.this) not in shown_:
            yield "grouping", each


def _grouping(node: exp.Select) -> Iterator[tuple[str, Expr]]:
    group = node.args.get("group")
    aggregates = bool(node.args.get("having")) or any(
        is_aggregate(each) for part in node.selects for each in within(part, exp.AggFunc)
    )
    if not group and not aggregates:
        return
    if group and (group.args.get("all") or group.find(exp.Cube, exp.Rollup, exp.GroupingSets)):
        return
    aliases = {each.alias.lower(): each.unalias() for each in node.selects if each.alias}
    keys = set()
    for key in group.expressions if group else ():
        if isinstance(key, exp.Literal) and not key.is_string and 0 < int(key.name) <= len(node.selects):
            key = node.selects[int(key.name) - 1].unalias()
        keys |= {
            _plain(key),
            _plain(aliases.get(key.name.lower(), key)) if isinstance(key, exp.Column) else _plain(key),
        }

    def loose(part: Expr) -> Iterator[Expr]:
        if _plain(part) in keys or is_aggregate(part) or isinstance(part, (exp.Query, exp.Subquery, exp.WithinGroup)):
            return
        if isinstance(part, exp.Star) or (isinstance(part, exp.Column) and isinstance(part.this, exp.Identifier)):
            alias = not isinstance(part, exp.Star) and not part.table and part.name.lower() in aliases
            if not alias and not (isinstance(part, exp.Star) and isinstance(part.parent, exp.Count)):
                yield part
            return
        inner = (
            part.this.iter_expressions() if isinstance(part, exp.Window) and isinstance(part.this, exp.AggFunc) else ()
        )
        own = () if inner else part.iter_expressions()
        for each in (*inner, *own):
            yield from loose(each)

    having, order = node.args.get("having"), node.args.get("order")
    sorts = [each.this for each in order.expressions] if order else []
    for part in (*node.selects, *([having.this] if having else ()), *sorts):
        yield from (("grouping", each) for each in loose(part))


def _plain(node: Expr) -> str:
    """A node's text, without the tables of its columns and whatever case."""
    copied = node.copy()
    for column in copied.find_all(exp.Column):
        column.set("table", None)
        column.set("db", None)
    return copied.sql(dialect="snowflake", comments=False).lower()


def _subquery(node: exp.Select) -> Iterator[tuple[str, Expr]]:
    holder = node.parent
    place = holder.parent if isinstance(holder, exp.Subquery) else None
    tested = isinstance(place or holder, (exp.Exists, exp.In, exp.Any, exp.All))
    relation = isinstance(
        place, (exp.From, exp.Join, exp.Lateral, exp.CTE, exp.Insert, exp.Create, exp.Merge, exp.Copy, *_SETS)
    )
    relation = relation or (isinstance(place, (exp.Query, exp.Delete, exp.Update)) and holder.arg_key != "expressions")
    scalar = isinstance(holder, exp.Subquery) and not tested and not relation
    if _countable(node.selects) and (scalar or isinstance(place or holder, exp.In)):
        given = (place or holder).this if not scalar else None
        if len(node.selects) != (len(given.expressions) if isinstance(given, exp.Tuple) else 1):
            yield "columns-count", node
    if isinstance(holder, exp.Subquery) and isinstance(place, (exp.From, exp.Join, exp.Lateral)):
        yield from _beside(node, place)
    if not (scalar or tested) or not (outer := node.find_ancestor(exp.Select, exp.Update, exp.Delete)):
        return
    own = {each.alias_or_name.lower() for each in node.find_all(exp.Table, exp.Subquery, exp.Lateral)}
    given = {each.alias_or_name.lower() for each in within(outer, exp.Table, exp.Subquery)}
    correlated = [each for each in node.find_all(exp.Column) if each.table and each.table.lower() in given - own]
    if not correlated:
        return
    limited = node.args.get("limit") or node.args.get("fetch")
    flattened = any(each.find_ancestor(exp.Lateral, exp.TableFromRows, exp.Explode) for each in correlated)
    mixed = any(_mixes(each, own) for each in correlated)
    uneven = scalar and any(each.find_ancestor(*_PREDICATES) for each in correlated)
    aggregated = len(node.selects) == 1 and any(is_aggregate(each) for each in within(node.selects[0], exp.AggFunc))
    if limited or flattened or mixed or uneven or (scalar and (not aggregated or node.args.get("group"))):
        yield "subquery", node


def _beside(node: exp.Select, place: Expr) -> Iterator[tuple[str, Expr]]:
    """What a subquery in FROM takes of the relations beside it: nothing but as LATERAL, and then without a limit."""
    outer = place.find_ancestor(exp.Select)
    if outer is None:
        return
    own = {each.alias_or_name.lower() for each in node.find_all(exp.Table, exp.Subquery, exp.Lateral)}
    given = {each.alias_or_name.lower() for each in within(outer, exp.Table, exp.Subquery)} - own
    taken = any(each.table and each.table.lower() in given for each in node.find_all(exp.Column))
    if taken and (not isinstance(place, exp.Lateral) or node.args.get("limit")):
        yield "lateral", node


def _mixes(column: exp.Column, own: set[str]) -> bool:
    """Whether a function takes a column of the outer query together with one of the subquery."""
    function = column.find_ancestor(exp.Func, exp.Select)
    if not isinstance(function, exp.Func) or isinstance(function, (exp.Cast, exp.Exists, exp.And, exp.Or)):
        return False
    return any(each.table and each.table.lower() in own for each in function.find_all(exp.Column))


def _countable(*lists: list[Expr]) -> bool:
    return all(each and not any(column.is_star for column in each) for each in lists)


def _insert(node: exp.Insert) -> Iterator[tuple[str, Expr]]:
    columns = node.this.expressions if isinstance(node.this, exp.Schema) else []
    if isinstance(node.expression, exp.Values):
        sizes = {len(row.expressions) if isinstance(row, exp.Tuple) else 1 for row in node.expression.expressions}
    elif isinstance(node.expression, exp.Select) and _countable(node.expression.selects):
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
    for name in {each for each in names if names.count(each) > 1}:
        yield "name", exp.to_identifier(name)
