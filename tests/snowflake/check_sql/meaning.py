"""What names and types show, with sqlglot's optimizer: whose column it is, and whether a function takes its type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import Expr, exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.schema import MappingSchema

from tests.snowflake.check_sql.nodes import line_of, shown
from tests.snowflake.check_sql.rules import Finding

Columns = Mapping[str, Mapping[str, str]]  # the type of each column, by relation (its last name, in lower case)
TEXT = exp.DataType.TEXT_TYPES
_T = exp.DataType.Type
NO_NUMBER = {_T.BOOLEAN, _T.DATE, _T.TIMESTAMP, _T.TIMESTAMPNTZ, _T.TIMESTAMPTZ, _T.TIMESTAMPLTZ, _T.ARRAY}
INSTANTS = {_T.TIMESTAMP, _T.TIMESTAMPNTZ, _T.TIMESTAMPTZ, _T.TIMESTAMPLTZ, _T.DATETIME}
NUMERIC = (exp.Sum, exp.Avg, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop, exp.Median)
TIMES = {*INSTANTS, _T.DATE, _T.TIME}
NUMBERS = {*exp.DataType.NUMERIC_TYPES, _T.BOOLEAN}
# Sources whose columns nobody knows beforehand.
OPEN = (
    exp.Lateral,
    exp.Pivot,
    exp.MatchRecognize,
    exp.TableFromRows,
    exp.Unnest,
    exp.Parameter,
    exp.Placeholder,
    exp.Connect,
)


def findings(tree: Expr, line: int, known: Columns) -> Iterator[Finding]:
    """What the names and types of a query show; `known` are the columns of the relations that are known."""
    if query_of(tree) is None:
        return
    try:
        query = typed(tree, known)
    except SqlglotError as error:
        yield Finding("name", line, str(error).split("\n")[0].replace('"', "")[:80])
        return
    for node in query.walk():
        if isinstance(node, exp.Cast) and not isinstance(node, exp.TryCast) and _is_no_cast(node):
            yield Finding("cast", line + line_of(node) - 1, shown(node))
        if _refused(node):
            yield Finding("operand", line + line_of(node) - 1, shown(node))


def query_of(tree: Expr) -> exp.Query | None:
    """The query that a statement is or holds."""
    held = tree.expression if isinstance(tree, (exp.Create, exp.Insert)) else tree
    return held if isinstance(held, exp.Query) else None


def typed(tree: Expr, known: Columns) -> Expr:
    """A statement's query with the types of its expressions, where they can be known.

    Raises SqlglotError when all sources are known and a name is ambiguous or of none of them.
    """
    found = query_of(tree)
    if found is None:
        return exp.null()
    query = found.copy()
    named_here = {cte.alias.lower() for cte in query.find_all(exp.CTE)}
    for table in list(query.find_all(exp.Table)):
        if (name := table.name.lower()) not in known:
            continue
        if table.db and name in named_here:  # without its schema it would be taken for the expression of that name
            known = {**known, f"{name}__table": known[name]}
            table.set("alias", table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(name)))
            table.set("this", exp.to_identifier(f"{name}__table"))
        table.set("db", None)
        table.set("catalog", None)
    schema = MappingSchema({name: dict(columns) for name, columns in known.items()}, dialect="snowflake")
    if not any(query.find(kind) for kind in OPEN) and _is_closed(query, known):
        query = qualify(query, schema=schema, dialect="snowflake", quote_identifiers=False)
    try:
        return annotate_types(query, schema=schema, dialect="snowflake")
    except Exception:  # what cannot be typed is not judged by its type
        return exp.null()


def columns_of(create: Expr) -> tuple[str, dict[str, str]] | None:
    """The name and the columns of a table that a statement creates with a list of columns; None for anything else."""
    if not isinstance(create, exp.Create) or create.kind != "TABLE" or not isinstance(create.this, exp.Schema):
        return None
    defined = [each for each in create.this.expressions if isinstance(each, exp.ColumnDef)]
    columns = {each.name.lower(): each.kind.sql(dialect="snowflake") for each in defined if each.kind}
    return (create.this.this.name.lower(), columns) if columns else None


def _is_closed(query: Expr, known: Columns) -> bool:
    """Whether the columns of every source of a query are known."""
    try:
        scopes = list(traverse_scope(query))
    except SqlglotError:
        return False
    if any(not values.args.get("alias") or not values.alias_column_names for values in query.find_all(exp.Values)):
        return False
    sources = [source for scope in scopes for source in scope.sources.values()]
    tables = [source for source in sources if isinstance(source, exp.Table)]
    return bool(sources) and all(
        isinstance(table.this, exp.Identifier) and table.name.lower() in known and not table.args.get("when")
        for table in tables
    )


def _is_no_cast(cast: exp.Cast) -> bool:
    source, target = cast.this.type, cast.to.this
    if source is None:
        return False
    if source.this in TIMES:
        return (
            target in NUMBERS
            or (source.this == _T.DATE and target == _T.TIME)
            or (source.this == _T.TIME and target == _T.DATE)
        )
    return source.this in NUMBERS and (target in (_T.DATE, _T.TIME) or (source.this == _T.BOOLEAN and target in TIMES))


def _refused(node: Expr) -> bool:
    kind = (
        node.this.type.this
        if isinstance(node, exp.Func) and isinstance(node.this, exp.Expression) and node.this.type
        else None
    )
    if isinstance(node, NUMERIC):
        inner = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
        return inner.type is not None and inner.type.this in NO_NUMBER
    if isinstance(node, exp.TryCast):
        known = kind not in (None, _T.UNKNOWN, _T.NULL)
        return isinstance(node.this, (*NUMERIC, exp.Count)) or (known and kind not in TEXT)
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Div)):
        kinds = {each.type.this for each in (node.left, node.right) if each.type}
        return _T.BOOLEAN in kinds or (isinstance(node, exp.Sub) and kinds <= INSTANTS and len(kinds) == 1)
    if isinstance(node, exp.DPipe):
        return any(each.type and each.type.this in (_T.ARRAY, _T.OBJECT, _T.MAP) for each in (node.left, node.right))
    return False
