"""What the syntax tree of a query shows: windows, aggregates, groups and subqueries."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import Expr, exp

from tests.snowflake.check_sql.nodes import SETS, countable, is_aggregate, plain, within

# Functions that need an order in their window.
ORDERED = re.compile(
    r"row_?number|(dense_?|percent_?)?rank|lag|lead|ntile|(first|last|nth)_?value|cume_?dist", re.IGNORECASE
)
_PREDICATES = (exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NEQ, exp.Between)


def is_ordered(node: Expr) -> bool:
    """Whether the node is a function that needs a window with an order."""
    name = node.name if isinstance(node, exp.Anonymous) else node.key
    return isinstance(node, exp.Func) and bool(ORDERED.fullmatch(name))


def has_window(node: Expr) -> bool:
    """Whether a function stands before a window, or among the rows of a pattern, which are one."""
    above = node.parent
    while isinstance(above, (exp.IgnoreNulls, exp.RespectNulls)):
        above = above.parent
    return isinstance(above, exp.Window) or node.find_ancestor(exp.MatchRecognize) is not None


def in_window(node: exp.Window) -> Iterator[tuple[str, Expr]]:
    """What a window's function refuses of it."""
    function = node.this
    while isinstance(function, (exp.IgnoreNulls, exp.RespectNulls)):
        function = function.this
    if is_ordered(function) and not node.args.get("order"):
        yield "order-of-window", node
    distinct = isinstance(function, exp.AggFunc) and isinstance(function.this, exp.Distinct)
    if distinct and (node.args.get("order") or node.args.get("spec")):
        yield "window", node
    if isinstance(function, (exp.WithinGroup, exp.GroupConcat, exp.Median, exp.Mode)) and (
        node.args.get("order") or node.args.get("spec")
    ):
        yield "window", node


def in_select(node: exp.Select) -> Iterator[tuple[str, Expr]]:
    """What stands where it may not in a query, and what the query takes of the one around it."""
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
    yield from _names(node)
    yield from _grouping(node)
    yield from _order_of_distinct(node)
    yield from _subquery(node)


def _names(node: exp.Select) -> Iterator[tuple[str, Expr]]:
    """Aliases that are there twice, and the columns of relations that are not there, or not in the only one."""
    joins = [each.this for each in node.args.get("joins") or ()]
    sources = [*([node.args["from_"].this] if node.args.get("from_") else ()), *joins]
    aliases = [each.alias.lower() for each in sources if each.alias]
    yield from (("name", each) for each in sources if each.alias and aliases.count(each.alias.lower()) > 1)
    if node.find_ancestor(exp.Select, exp.Merge, exp.Update, exp.Delete) or node.args.get("laterals"):
        return  # it may take names from around it
    if len(sources) == 1 and isinstance(sources[0], exp.Subquery) and isinstance(sources[0].this, exp.Select):
        inner = sources[0].this.selects
        given = {each.alias_or_name.lower() for each in inner} | {each.alias.lower() for each in node.selects}
        renamed = sources[0].alias_column_names or any(each.is_star for each in node.selects)
        if (
            not renamed
            and countable(inner)
            and all(each.alias_or_name for each in inner)
            and not sources[0].args.get("pivots")
        ):
            columns = (each for each in within(node, exp.Column) if isinstance(each.this, exp.Identifier))
            yield from (("name", each) for each in columns if each.name.lower() not in given)


def _order_of_distinct(node: exp.Select) -> Iterator[tuple[str, Expr]]:
    order = node.args.get("order")
    if not node.args.get("distinct") or not order or any(each.is_star for each in node.selects):
        return
    shown_ = {plain(each.unalias()) for each in node.selects} | {each.alias_or_name.lower() for each in node.selects}
    for each in order.expressions:
        if not each.this.is_int and plain(each.this) not in shown_:
            yield "grouping", each


def _grouping(node: exp.Select) -> Iterator[tuple[str, Expr]]:
    group, order = node.args.get("group"), node.args.get("order")
    aggregates = bool(node.args.get("having")) or any(
        is_aggregate(each) for part in (*node.selects, order) for each in within(part, exp.AggFunc)
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
            plain(key),
            plain(aliases.get(key.name.lower(), key)) if isinstance(key, exp.Column) else plain(key),
        }

    def loose(part: Expr) -> Iterator[Expr]:
        if plain(part) in keys or is_aggregate(part) or isinstance(part, (exp.Query, exp.Subquery, exp.WithinGroup)):
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

    having = node.args.get("having")
    sorts = [each.this for each in order.expressions] if order else []
    for part in (*node.selects, *([having.this] if having else ()), *sorts):
        yield from (("grouping", each) for each in loose(part))


def _subquery(node: exp.Select) -> Iterator[tuple[str, Expr]]:
    holder = node.parent
    place = holder.parent if isinstance(holder, exp.Subquery) else None
    tested = isinstance(place or holder, (exp.Exists, exp.In, exp.Any, exp.All))
    relation = isinstance(
        place, (exp.From, exp.Join, exp.Lateral, exp.CTE, exp.Insert, exp.Create, exp.Merge, exp.Copy, *SETS)
    )
    relation = relation or (isinstance(place, (exp.Query, exp.Delete, exp.Update)) and holder.arg_key != "expressions")
    scalar = isinstance(holder, exp.Subquery) and not tested and not relation
    if countable(node.selects) and (scalar or isinstance(place or holder, exp.In)):
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
