"""Raw against its own books: the ledger, the rejected rows and the batches."""

from __future__ import annotations

from expectations.measure import NONE, Measure, Suite, at_least, at_most, value, worst
from expectations.suites.columns import RAW

_TABLES = [name for name in RAW if name not in ("rejected_rows", "load_ledger", "batches", "files")]

# A count of the newest batch, and of all others together: engines count a whole table without reading it.
_COUNTED = "\nunion all\n".join(
    f"select '{name}' as table_name, (select count(*) from {{raw}}.{name}) as everything,"
    f" (select count(*) from {{raw}}.{name} where _batch = cast('{{batch}}' as integer)) as newest"
    for name in _TABLES
)
_BOOKED = """
    select
        c.table_name,
        c.newest - coalesce(l.newest, 0) as newest_off,
        c.everything - c.newest - (coalesce(l.everything, 0) - coalesce(l.newest, 0)) as others_off
    from counted as c
    left join (
        select
            table_name, sum(rows_loaded) as everything,
            sum(case when batch_id = '{batch}' then rows_loaded else 0 end) as newest
        from {raw}.load_ledger
        group by table_name
    ) as l on c.table_name = l.table_name
"""
_OFF = """
    select table_name, 'batch {batch}' as batch, newest_off as off from booked
    union all
    select table_name, 'batches before {batch}' as batch, others_off as off from booked
"""
_REJECTED = """
    select l.batch_id, l.table_name, max(l.rows_rejected) as booked, max(l.rows_read) as rows_read, count(r.line) as n
    from {raw}.load_ledger as l
    left join {raw}.rejected_rows as r on l.batch_id = r.batch_id and l.table_name = r.table_name
    group by l.batch_id, l.table_name
"""
_CLOCK = """
    select
        batch_id, as_of, effective_at, datasets, first_tables,
        lag(effective_at) over (order by batch_id) as effective_before
    from (
        select
            batch_id,
            max(as_of) as as_of,
            max(effective_at) as effective_at,
            count(distinct dataset) as datasets,
            sum(case when table_name in ('movies', 'ratings') and mode = 'full' then 1 else 0 end) as first_tables
        from {raw}.batches
        group by batch_id
    ) as batch
"""

SUITES = (
    Suite(
        relation="raw.load_ledger",
        stage="raw",
        ctes=(("counted", _COUNTED), ("booked", _BOOKED), ("off", _OFF), ("rejected", _REJECTED)),
        measures=(
            Measure(
                name="rows_in_raw_are_booked",
                title="Raw holds the rows that the ledger says were loaded",
                sql=worst("table_name || ', ' || batch", "abs(off)", "off", "1", "off != 0"),
                error=NONE,
                accepts=False,
                why="Raw is append-only: a difference means that someone wrote to it, or that a load was cut.",
            ),
            Measure(
                name="rejected_rows_are_booked",
                title="Each rejected line of the ledger is kept, with its reason",
                sql=worst(
                    "'batch ' || batch_id || ', ' || table_name", "abs(n - booked)", "rejected", "1", "n != booked"
                ),
                error=NONE,
                accepts=False,
            ),
            Measure(
                name="few_lines_are_rejected",
                title="Lines of a source file that landing rejected",
                sql=worst(
                    "table_name",
                    "n / nullif(cast(rows_read as double), 0)",
                    "rejected",
                    "n",
                    "batch_id = '{batch}' and n > 0",
                ),
                unit="share",
                warn=at_most(0.001),
                why="More than 0.1 % is refused at landing, unless it was told to accept more.",
            ),
        ),
    ),
    Suite(
        relation="raw.batches",
        stage="raw",
        ctes=(
            ("clock", _CLOCK),
            (
                "unbooked",
                "select coalesce(b.batch_id, l.batch_id) as batch_id, coalesce(b.table_name, l.table_name) as table_name"
                " from {raw}.batches as b full outer join {raw}.load_ledger as l"
                " on b.batch_id = l.batch_id and b.table_name = l.table_name"
                " where b.batch_id is null or l.batch_id is null",
            ),
        ),
        measures=(
            Measure(
                name="batches_are_booked",
                title="Tables of a batch that the batch list or the ledger does not know",
                sql=worst("'batch ' || batch_id || ', ' || table_name", "1", "unbooked", "1"),
                error=NONE,
                accepts=False,
            ),
            Measure(
                name="clock_moves_forward",
                title="History's clock: each batch takes effect after the one before it",
                sql=worst("'batch ' || batch_id", "1", "clock", "1", "effective_at <= effective_before"),
                error=NONE,
                accepts=False,
                why="Versions of history would overlap or be lost.",
            ),
            Measure(
                name="one_data_set",
                title="Data sets in the warehouse",
                sql=value("count(distinct dataset)", "{raw}.batches"),
                unit="number",
                error=at_most(1),
                accepts=False,
                why="User ids of two data sets have nothing in common.",
            ),
            Measure(
                name="first_batch_is_whole",
                title="Whole tables in the first batch: movies and ratings",
                sql="select null as subject, first_tables as observed, 1 as weight from clock order by batch_id limit 1",
                unit="number",
                error=at_least(2),
                accepts=False,
            ),
            Measure(
                name="as_of_is_not_in_the_future",
                title="Batches that speak for a day that has not come",
                sql=worst(
                    "'batch ' || batch_id || ': ' || cast(as_of as varchar)",
                    "1",
                    "clock",
                    "1",
                    "as_of > cast('{soon}' as datetime)",
                ),
                warn=NONE,
            ),
        ),
    ),
)
