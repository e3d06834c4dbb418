"""What the checks of a syntax tree ask of its nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import Expr, exp

SETS = (exp.Union, exp.Except, exp.Intersect)
# Aggregates that sqlglot knows by name alone.
_AGGREGATES = re.compile(
    r"(hll|approx_percentile|approx_top_k)_(accumulate|combine)|bitmap_(construct|or)_agg|st_(collect|union_agg)"
    r"|vector_(sum|avg|min|max)|ai(_summarize)?_agg",
    re.IGNORECASE,
)


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
    known = isinstance(node, exp.AggFunc) and not isinstance(node, (exp.RegrValx, exp.RegrValy))
    return not window and (known or (isinstance(node, exp.Anonymous) and bool(_AGGREGATES.fullmatch(node.name))))


def _inside(node: Expr, window: exp.Window) -> bool:
    return any(node is each for each in window.this.walk())


def countable(*lists: list[Expr]) -> bool:
    """Whether the columns of all lists can be counted: none is a star."""
    return all(each and not any(column.is_star for column in each) for each in lists)


def plain(node: Expr) -> str:
    """A node's text, without the tables of its columns and whatever case."""
    copied = node.copy()
    for column in copied.find_all(exp.Column):
        column.set("table", None)
        column.set("db", None)
    return copied.sql(dialect="snowflake", comments=False).lower()
