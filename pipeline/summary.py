"""Tables of what is there: the result of a run, the newest runs, the landed batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from ingest.batches.committed import committed, withdrawn
from ingest.manifest import Manifest
from ingest.schema import TABLES
from ingest.store.bucket import Store
from pipeline.apply import Context
from pipeline.report import Report
from pipeline.warehouse import Warehouse

MARTS = ("marts", "snapshots")
SHOWN_BATCHES = 5


def summary(context: Context, applied: Sequence[Manifest] | None) -> None:
    """The result of a run: what the batches that were `applied` changed, what is there, and what was rejected."""
    report, warehouse = context.report, context.warehouse
    if applied:
        _changes(report, applied, warehouse)
    relations(report, warehouse)
    landed = {name for manifest in applied or () for name in manifest.tables}
    absent = [table.file for name, table in TABLES.items() if name not in landed]
    if absent and applied and applied[0].batch_id == "000001":
        report.say(f"not in this data set: {', '.join(absent)}; their tables are empty")
    tests = "" if applied is None else f"{report.run.tests} tests passed, "
    where = f"warehouse {warehouse.name}, object store {context.store.address()}"
    report.say(f"{tests}{where}, {report.run.elapsed():.1f} s in all")
    if report.banner:
        report.say(report.banner, "bold yellow")


def _changes(report: Report, applied: Sequence[Manifest], warehouse: Warehouse) -> None:
    shown = applied[-SHOWN_BATCHES:]
    if len(shown) < len(applied):
        report.say(f"{len(applied)} batches were applied; the last {len(shown)}:")
    counted = {
        (batch, name): counts
        for batch, name, *counts in warehouse.rows(
            "select _batch, table_name, rows_added, rows_revised, rows_removed, rows_late "
            f"from {warehouse.prefix}intermediate.int_batch_changes where _batch >= {int(shown[0].batch_id)}"
        )
    }
    for manifest in shown:
        table = _table(f"batch {manifest.batch_id} as of {manifest.as_of:%Y-%m-%d %H:%M:%S} UTC", "table", "mode")
        for name in ("rows", "rejected", "added", "revised", "removed", "late"):
            table.add_column(name, justify="right")
        for name, content in manifest.tables.items():
            changed = counted.get((int(manifest.batch_id), name), [None] * 4)
            numbers = [content.rows_loaded, content.rows_rejected, *changed]
            table.add_row(name, content.mode, *("–" if number is None else f"{number:,}" for number in numbers))
        report.console.print(table)


def relations(report: Report, warehouse: Warehouse) -> None:
    """The relations that people query, with their rows, and the ratings that are not among them."""
    names = warehouse.relations(*MARTS)
    if "marts.fact_ratings" not in names:
        return
    counts = warehouse.rows(
        " union all ".join(f"select '{name}', count(*) from {warehouse.prefix}{name}" for name in names)
    )
    table = _table("the warehouse", "relation")
    table.add_column("rows", justify="right")
    for name, count in sorted(counts):
        table.add_row(name, f"{count:,}")
    report.console.print(table)
    marts, staging = f"{warehouse.prefix}marts", f"{warehouse.prefix}staging"
    ((inferred, superseded),) = warehouse.rows(
        f"select (select count(*) from {marts}.dim_movies where is_inferred), "
        f"(select count(*) from {staging}.stg_ratings) - (select count(*) from {marts}.fact_ratings)"
    )
    if inferred:
        report.say(
            f"{inferred:,} movies are inferred: ratings, tags or scores name them, movies.csv does not", "yellow"
        )
    if superseded:
        report.say(f"{superseded:,} ratings are superseded by a later one of the same user and movie")


def runs_table(records: Sequence[Mapping[str, Any]]) -> Table:
    """Runs, by their records."""
    table = Table(box=None)
    for title in ("started (UTC)", "job", "outcome", "batches"):
        table.add_column(title, no_wrap=True)
    for title in ("rows", "tests", "findings", "seconds"):
        table.add_column(title, justify="right", min_width=len(title) + 1)
    table.add_column("error", overflow="ellipsis", max_width=24, no_wrap=True)
    for record in records:
        when, batches = f"{record['started_at']:.19}".replace("T", " "), ", ".join(record["batches"])
        counts = f"{record['rows_loaded']:,}", str(record["tests"]), str(len(record["findings"]))
        why = escape(record["error"].split("\n")[0][:40])
        table.add_row(when, record["job"], record["outcome"], batches, *counts, f"{record['seconds']:.1f}", why)
    return table


def batches_table(store: Store, datasets: Iterable[str]) -> Table:
    """The landed batches of data sets by table, the withdrawn ones with the reason."""
    table = Table(box=None)
    for title in ("batch", "as of (UTC)", "table", "mode", "rows", "rejected"):
        table.add_column(title, no_wrap=True)
    rows: list[tuple[str, ...]] = []
    for dataset in datasets:
        for record in withdrawn(store, dataset):
            rows.append((f"{dataset} {record.batch_id}", "withdrawn", escape(record.reason)))
        for batch in committed(store, dataset):
            title, when = f"{dataset} {batch.batch_id}", f"{batch.as_of:%Y-%m-%d %H:%M:%S}"
            for name, t in batch.tables.items():
                rows.append((title, when, name, t.mode, f"{t.rows_loaded:,}", f"{t.rows_rejected:,}"))
    for row in sorted(rows):
        table.add_row(*row)
    return table


def _table(title: str, *columns: str) -> Table:
    return Table(*columns, title=title, title_justify="left", box=box.SIMPLE_HEAD)
