"""Relations of a warehouse as rows in Python, and what differs between two warehouses."""

from __future__ import annotations

from pipeline.warehouse import Warehouse

Row = tuple[object, ...]
Relations = dict[str, list[Row]]

# What speaks of the way here and not of the data: the batch that last set a row.
LINEAGE = "_batch"
HISTORY = ("marts.dim_movies_history", "snapshots.")


def relations(warehouse: Warehouse, *, history: bool) -> Relations:
    """Every relation of marts and snapshots that is history, or is not: its columns but for lineage, then its rows."""
    columns: dict[str, list[str]] = {}
    with warehouse.cursor() as cursor:

        def rows(sql: str) -> list[Row]:
            return list(cursor.execute(sql).fetchall())

        for schema, table, column in rows(
            "select table_schema, table_name, column_name from information_schema.columns "
            f"where table_schema in ('marts', 'snapshots') and column_name != '{LINEAGE}' order by all"
        ):
            columns.setdefault(f"{schema}.{table}", []).append(column)
        return {
            name: [tuple(listed), *rows(f"select {', '.join(listed)} from {name} order by all")]
            for name, listed in columns.items()
            if name.startswith(HISTORY) == history
        }


def difference(left: Relations, right: Relations) -> str:
    """What differs, for an assertion's message: the rows that only one side has, relation by relation."""
    told = []
    for name in sorted({*left, *right}):
        one, other = left.get(name, []), right.get(name, [])
        if one != other:
            told.append(
                f"{name}: only left {[row for row in one if row not in other][:5]}, "
                f"only right {[row for row in other if row not in one][:5]}, {len(one)} and {len(other)} rows"
            )
    return "\n".join(told)
