"""What there is to judge: the checks of each relation and batch, and what dbt measured of the batch.

What was measured is fetched with one query, however many checks and batches there are: on Snowflake each is a round
trip. The greatest value of a column with one row is its value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas

from expectations.checks import SCHEMAS, Check

Ask = Callable[[str], list[dict[str, Any]]]
"""Asks the warehouse: the rows of an SQL query."""


@dataclass(frozen=True)
class Group:
    """The checks of one relation that are judged together on one batch; `measured`: the batch's row of a profile."""

    relation: str
    batch: int
    checks: Sequence[Check]
    measured: pandas.DataFrame | None = None

    @property
    def name(self) -> str:
        """What its suite and its page are called."""
        return f"{self.relation}-{self.batch:06d}"


def groups(checks: Sequence[Check], batches: Sequence[int], ask: Ask) -> tuple[list[Group], list[int]]:
    """The checks that have something to judge, and the batches that nothing was measured of.

    A relation that is not there is left out: its build failed, which the run says.
    """
    there = _relations(ask)
    checks = [check for check in checks if {check.relation, check.profile or check.relation} <= there]
    measured = _measured(checks, batches, ask)
    found = []
    for relation in dict.fromkeys(check.relation for check in checks):
        of_relation = [check for check in checks if check.relation == relation]
        if not of_relation[0].profile:
            found.append(Group(relation, batches[-1], of_relation))
        for batch, values in measured.items():
            judged = [check for check in of_relation if values.get(check) is not None]
            if judged:
                row = pandas.DataFrame([{check.column: values[check] for check in judged}])
                found.append(Group(relation, batch, judged, row if relation == judged[0].profile else None))
    return found, sorted(set(batches) - set(measured))


def _measured(checks: Sequence[Check], batches: Sequence[int], ask: Ask) -> dict[int, dict[Check, float | None]]:
    """What each check looks at, in each batch with a profile; null where there is nothing to judge."""
    asked = [check for check in checks if check.profile]
    listed = ", ".join(map(str, batches))
    queries = (
        f"select _batch, {place} as place, cast(case when {check.when or 'true'} then {value} end as double) as found"
        f" from {{quality}}.{str(check.profile).partition('.')[2]}"
        for place, check in enumerate(asked)
        for value in [check.column if check.relation == check.profile else 1]
    )
    measured: dict[int, dict[Check, float | None]] = {}
    of_all = f"select * from ({' union all '.join(queries)}) as measured where _batch in ({listed})"
    for row in ask(of_all) if asked else ():
        measured.setdefault(int(row["_batch"]), {})[asked[int(row["place"])]] = row["found"]
    return measured


def _relations(ask: Ask) -> set[str]:
    """The relations that are there, as `schema.name`, without a prefix of the schemas."""
    listed = " union all ".join(f"select '{{{schema}}}' as named, '{schema}' as schema_name" for schema in SCHEMAS)
    rows = ask(
        f"select distinct s.schema_name || '.' || lower(c.table_name) as relation from ({listed}) as s"
        " inner join information_schema.columns as c on lower(c.table_schema) = lower(s.named)"
    )
    return {row["relation"] for row in rows}
