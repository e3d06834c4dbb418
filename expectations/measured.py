"""What there is to judge: the checks of each relation and batch, and what dbt measured of the batch.

What was measured is fetched in one query, however many batches and profiles there are, and kept in a file beside the
results: the checks of a profile cost the warehouse no query of their own. The greatest value of a column with one row
is its value.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas

from expectations.checks import SCHEMAS, Check

Ask = Callable[[str], list[Mapping[str, Any]]]
"""Asks the warehouse: the rows of an SQL query."""


@dataclass(frozen=True)
class Group:
    """The checks of one relation that are judged together on one batch; `measured`: its values, if it is a profile."""

    relation: str
    batch: int
    checks: tuple[Check, ...]
    measured: Mapping[str, float] | None = None

    @property
    def name(self) -> str:
        """What its suite and its page are called."""
        return f"{self.relation}-{self.batch:06d}"

    @property
    def table(self) -> str:
        """The table of its values."""
        return self.name.partition(".")[2].replace("-", "_")

    def column(self, check: Check) -> str | None:
        """The column that a check is judged on: in the table of values, one for each condition."""
        if self.measured is None or not check.when:
            return check.column
        return _alias(check, self.checks)


def groups(checks: Sequence[Check], batches: Sequence[int], ask: Ask) -> tuple[list[Group], list[int]]:
    """The checks that have something to judge, and the batches that nothing was measured of.

    A relation that is not there is left out: its build failed, which the run says.
    """
    there = _relations(ask)
    checks = [check for check in checks if {check.relation, check.profile or check.relation} <= there]
    measured = _measured(checks, batches, ask)
    found = []
    for relation in dict.fromkeys(check.relation for check in checks):
        of_relation = {place: check for place, check in enumerate(checks) if check.relation == relation}
        if not next(iter(of_relation.values())).profile:
            found.append(Group(relation, batches[-1], tuple(of_relation.values())))
        for batch, values in measured.items():
            judged = {place: check for place, check in of_relation.items() if values.get(place) is not None}
            every = tuple(judged.values())
            row = {_alias(check, every): float(values[place]) for place, check in judged.items()}
            if judged:
                found.append(Group(relation, batch, every, row if relation == every[0].profile else None))
    return found, sorted(set(batches) - set(measured))


def keep(file: Path, groups: Sequence[Group]) -> None:
    """Writes what was measured into tables that Great Expectations can ask, in an SQLite file."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        for group in groups:
            if group.measured is not None:
                pandas.DataFrame([group.measured]).to_sql(group.table, connection, index=False)


def _measured(checks: Sequence[Check], batches: Sequence[int], ask: Ask) -> dict[int, dict[int, Any]]:
    """What each check looks at, by its place, in each batch with a profile; null where there is nothing to judge."""
    joins = []
    for number, profile in enumerate(dict.fromkeys(check.profile for check in checks if check.profile)):
        values = [
            f"case when {check.when or 'true'} then {check.column if check.relation == profile else 1} end as v{place}"
            for place, check in enumerate(checks)
            if check.profile == profile
        ]
        table = profile.replace("quality.", "{quality}.")
        rows = f"select _batch as b{number}, {', '.join(values)} from {table}"
        joins.append(f"left join ({rows}) as p{number} on batch = b{number}")
    listed = " union all ".join(f"select {batch} as batch" for batch in batches)
    measured = {}
    for row in ask(f"select * from ({listed}) as batches {' '.join(joins)}"):
        if any(row[f"b{number}"] is not None for number in range(len(joins))):
            measured[int(row["batch"])] = {place: row.get(f"v{place}") for place in range(len(checks))}
    return measured


def _alias(check: Check, checks: Sequence[Check]) -> str:
    conditions = list(dict.fromkeys(other.when for other in checks if other.column == check.column and other.when))
    return f"{check.column}_{conditions.index(check.when) + 1}" if check.when else str(check.column)


def _relations(ask: Ask) -> set[str]:
    """The relations that are there, as `schema.name`, without a prefix of the schemas."""
    listed = " union all ".join(f"select '{{{schema}}}' as named, '{schema}' as schema_name" for schema in SCHEMAS)
    rows = ask(
        f"select distinct s.schema_name || '.' || lower(c.table_name) as relation from ({listed}) as s"
        " inner join information_schema.columns as c on lower(c.table_schema) = lower(s.named)"
    )
    return {row["relation"] for row in rows}
