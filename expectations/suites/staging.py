"""Staging against raw: its rows are raw's current content, less the filters that it declares.

All rows are counted, which is cheap; only what changed is summed, so that the cost follows the change.
"""

from __future__ import annotations

from expectations.measure import NONE, Measure, Suite, changed_rows, current_rows, value

_SUMS = {
    "movies": ("movie_id",),
    "ratings": ("user_id", "movie_id", "rating"),
    "links": ("movie_id", "tmdb_id"),
    "genome_scores": ("movie_id",),
}


def _suite(table: str, sums: tuple[str, ...]) -> Suite:
    columns = ", ".join(f"sum(cast({column} as double)) as {column}" for column in sums)
    distance = " + ".join(f"abs(coalesce(r.{column}, 0) - coalesce(s.{column}, 0))" for column in sums)
    scale = " + ".join(f"abs(coalesce(r.{column}, 0))" for column in sums)
    return Suite(
        relation=f"staging.stg_{table}",
        stage="marts",
        when=lambda state: state.changes(table),
        ctes=(
            ("r", f"select {columns} from ({changed_rows(f'raw.{table}', table)}) as c"),
            ("s", f"select {columns} from ({changed_rows(f'staging.stg_{table}', table)}) as c"),
            ("held", f"select count(*) as n from ({current_rows(table, '_batch')}) as c"),
            ("shown", f"select count(*) as n from {{staging}}.stg_{table}"),
        ),
        measures=(
            Measure(
                name="rows",
                title="Rows more or fewer than raw's current content",
                sql=value("abs(held.n - shown.n)", "held cross join shown"),
                error=NONE,
                accepts=False,
                why="Staging of this table filters nothing.",
            ),
            Measure(
                name="sums",
                title="Sums of the ids and numbers that changed, distance from raw's",
                unit="share",
                sql=value(f"({distance}) / nullif({scale}, 0)", "r cross join s", where=f"{scale} > 0"),
                error=NONE,
                accepts=False,
            ),
        ),
    )


# White space as people mean it: what staging strips from a text before it asks whether anything is left.
_BLANKS = (*range(9, 14), 32, 160, 5760, *range(8192, 8206), 8232, 8233, 8239, 8287, 8288, 12288, 65279)


def _filtered(table: str, text: str) -> Suite:
    """A table of which staging leaves out the lines with a blank text."""
    letters = f"translate({text}, {' || '.join(f'chr({code})' for code in _BLANKS)}, '')"
    return Suite(
        relation=f"staging.stg_{table}",
        stage="marts",
        when=lambda state: state.changes(table),
        ctes=(
            ("r", f"select count(*) as n from ({current_rows(table)}) as c where coalesce({letters}, '') != ''"),
            ("s", f"select count(*) as n from {{staging}}.stg_{table}"),
        ),
        measures=(
            Measure(
                name="rows",
                title="Rows more or fewer than raw's current content without blank ones",
                sql=value("abs(r.n - s.n)", "r cross join s"),
                error=NONE,
                accepts=False,
                why="Staging leaves out blank texts only.",
            ),
        ),
    )


SUITES = (
    *(_suite(table, sums) for table, sums in _SUMS.items()),
    _filtered("tags", "tag"),
    _filtered("genome_tags", "tag"),
)
