"""What an expectation is made of: a measure in SQL, and the bands that its values should lie in.

A suite is one query: shared CTEs, then one branch per measure, so that a fact is scanned once and not once per
expectation. The SQL is one text for DuckDB and Snowflake: unquoted lower-case names, functions that both have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

Unit = Literal["rows", "share", "times", "stars", "characters", "days", "ids", "number"]
Severity = Literal["error", "warning"]
Stage = Literal["raw", "marts"]

SCHEMAS = ("ops", "raw", "staging", "intermediate", "marts", "snapshots")
TABLES = ("movies", "ratings", "tags", "links", "genome_scores", "genome_tags")

ROWS_NAMED = 5
"""How many rows a failure names at most."""
MANY_ROWS = 2_000_000
"""Above how many rows an exact comparison looks at a sample."""
SAMPLE_ROWS = 500_000
"""How many rows, about, such a sample has."""


@dataclass(frozen=True)
class Band:
    """The values that are expected, both ends included; an end that is None is open."""

    low: float | None = None
    high: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a value lies in the band."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


NONE = Band(high=0)


def at_most(high: float) -> Band:
    """A band that is open below."""
    return Band(high=high)


def at_least(low: float) -> Band:
    """A band that is open above."""
    return Band(low=low)


@dataclass(frozen=True)
class Measure:
    """One thing to look at.

    Parameters: `name`, unique in its suite; `title`, as a data owner would say it; `sql`, a select of `subject`
    (what or which row, null for the whole relation), `observed` and `weight` (how many rows speak for the value);
    no row means that there was nothing to judge. `error` and `warn`: the bands outside of which the run stops, or
    is only told; `evidence`: the weight from which on it stops, below it warns. `why`: where the bands come from.
    `accepts`: whether a person may accept a batch in spite of it; no good data breaks the books or its own copies.
    """

    name: str
    title: str
    sql: str
    unit: Unit = "rows"
    error: Band | None = None
    warn: Band | None = None
    evidence: int = 1
    why: str = ""
    accepts: bool = True


@dataclass(frozen=True)
class State:
    """What stands in the warehouse, asked once and written into every query as literals, which engines prune by.

    Parameters: `batch_id`, the newest batch; `last_second`, a day after its as_of in seconds since 1970; `modes`, the
    mode of each table in it; `since`, the newest full batch of each table; `changed`, of each table that batches since
    the last completed build have, the first of these that counts; `loaded`, the rows of its largest batch;
    `relations`, what there is, without prefix; `prefix`, of all schemas.
    """

    batch_id: str
    last_second: int
    modes: dict[str, str]
    since: dict[str, str]
    changed: dict[str, str]
    loaded: dict[str, int]
    relations: frozenset[str]
    prefix: str = ""

    def brings(self, *tables: str) -> bool:
        """Whether the newest batch has any of the tables."""
        return any(table in self.modes for table in tables)

    def changes(self, *tables: str) -> bool:
        """Whether any of the tables has changed since the last completed build."""
        return any(table in self.changed for table in tables)

    def replaces(self, *tables: str) -> bool:
        """Whether the newest batch has any of the tables as a whole."""
        return any(self.modes.get(table) == "full" for table in tables)

    def render(self, sql: str) -> str:
        """SQL with its placeholders filled in: schemas, `{batch}`, `{last_second}`, `{soon}` (the day after
        tomorrow), `{mode:T}`, `{since:T}`, `{changed:T}`, `{step:T}`.

        A step is the sample that exact comparisons take of a table: each key, or every so manieth of a large one.
        """
        for schema in SCHEMAS:
            sql = sql.replace(f"{{{schema}}}", f"{self.prefix}{schema}")
        for table in TABLES:
            sql = sql.replace(f"{{mode:{table}}}", self.modes.get(table, ""))
            sql = sql.replace(f"{{since:{table}}}", self.since.get(table, ""))
            sql = sql.replace(f"{{changed:{table}}}", self.changed.get(table, ""))
            rows = self.loaded.get(table, 0)
            sql = sql.replace(f"{{step:{table}}}", str(rows // SAMPLE_ROWS if rows > MANY_ROWS else 1))
        soon = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
        literals = {"{batch}": self.batch_id, "{last_second}": str(self.last_second), "{soon}": soon}
        for placeholder, literal in literals.items():
            sql = sql.replace(placeholder, literal)
        return sql


def always(_: State) -> bool:
    """The condition of a suite that looks at every batch."""
    return True


@dataclass(frozen=True)
class Suite:
    """The measures of one relation.

    Parameters: `relation`, written `raw.ratings`; `about`, what of it is looked at; `ctes`, (name, select) pairs that
    the measures share, with the placeholders of `State.render` (an engine copies a CTE that is used twice: never name
    a fact's rows in one, but what is counted of them); `when`, whether a state of the warehouse gives it something to
    look at; `needs`, other relations that must be there.
    """

    relation: str
    stage: Stage
    measures: tuple[Measure, ...]
    about: str = ""
    ctes: tuple[tuple[str, str], ...] = ()
    when: Callable[[State], bool] = always
    needs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The suite's name, fit for a file: its relation and what of it is looked at."""
        return "-".join((self.relation, *self.about.split()))

    def applies(self, state: State) -> bool:
        """Whether there is something to look at."""
        return state.relations.issuperset((self.relation, *self.needs)) and self.when(state)

    def query(self) -> str:
        """The suite's one query: rows of `measure`, `subject`, `observed` and `weight`."""
        ctes = ",\n".join(f"{name} as (\n{sql}\n)" for name, sql in self.ctes)
        branches = "\nunion all\n".join(
            f"select '{measure.name}' as measure, cast(subject as varchar) as subject,"
            f" cast(observed as double) as observed, cast(weight as bigint) as weight\nfrom (\n{measure.sql}\n) as m"
            for measure in self.measures
        )
        return f"with {ctes}\n{branches}" if ctes else branches


def value(observed: str, source: str, weight: str = "1", where: str = "true", subject: str = "null") -> str:
    """A measure's SQL: one value for each row of `source`."""
    return f"select {subject} as subject, {observed} as observed, {weight} as weight from {source} where {where}"


def worst(
    subject: str, observed: str, source: str, weight: str, where: str = "true", order: str = "observed desc nulls last"
) -> str:
    """A measure's SQL: the values farthest out, each with its own subject."""
    picked = value(observed, source, weight, where, subject)
    return f"select * from ({picked}) as v where observed is not null order by {order}, subject nulls last limit {ROWS_NAMED}"


def examples(subject: str, source: str, where: str, observed: str, weight: str, total: str) -> str:
    """A measure's SQL: one value from the one-row CTE `total`, with rows of `source` that show it.

    `observed` and `weight` are columns of `total`. Without such rows there is no value, and the measure holds.
    """
    return (
        f"select {subject} as subject, {total}.{observed} as observed, {total}.{weight} as weight"
        f" from {source} cross join {total} where {where} limit {ROWS_NAMED}"
    )


def batch_rows(table: str, columns: str = "*") -> str:
    """The rows that the newest batch brought to a raw table."""
    return f"select {columns} from {{raw}}.{table} where _batch = cast('{{batch}}' as integer)"


def current_rows(table: str, columns: str = "*") -> str:
    """The rows that a raw table's content is made of: its newest full batch and the deltas since."""
    return f"select {columns} from {{raw}}.{table} where _batch >= cast('{{since:{table}}}' as integer)"


def changed_rows(relation: str, table: str) -> str:
    """The rows of a relation, written `raw.ratings`, that batches of a raw table have brought since the last build."""
    return f"select * from {{{relation.replace('.', '}.')} where _batch >= cast('{{changed:{table}}}' as integer)"
