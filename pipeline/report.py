"""What a person sees: each step with its time, then one table and what to try next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from ingest.batches.committed import committed, withdrawn
from ingest.batches.manifest import Manifest
from ingest.schema import TABLES
from ingest.store.bucket import Store
from pipeline.apply import Applied
from pipeline.runs import Run, recorded
from pipeline.warehouse import Warehouse

DEV = "nox -s dev --"
MARTS = ("marts", "snapshots")
SHOWN_BATCHES = 5
SHOWN_ROWS = 5


class Report:
    """Reports a run on a console and keeps its record; `banner` is shown first and last, as the emulator needs."""

    def __init__(self, console: Console, banner: str = "") -> None:
        self.console, self.banner, self.run = console, banner, Run()
        self._status: Status | None = None
        self._step, self._nodes = "", 0
        if banner:
            console.print(f"[bold yellow]{escape(banner)}")

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A step that is shown while it runs, and with its time when it is done."""
        self._step, self._nodes = escape(name), 0
        with self.console.status(self._step) as self._status, self.run.step(name):
            yield
        self._status = None
        self.console.print(f"  {self._step:<24}{self.run.steps[-1][1]:6.1f} s", highlight=False)

    @contextmanager
    def silent(self, name: str) -> Iterator[None]:
        """A step that is shown only while it runs."""
        with self.console.status(escape(name)), self.run.step(name):
            yield

    @contextmanager
    def another_run(self, folder: Path) -> Iterator[Run]:
        """The record of one more publication by the same command; one that finds nothing new leaves none."""
        self.run = Run(self.run.job, self.run.target)
        with recorded(self.run, folder):
            yield self.run
        if self.run.outcome == "nothing new":
            self.run.path(folder).unlink(missing_ok=True)

    def node(self, name: str) -> None:
        """Progress within a build: one more model or test is done."""
        self._nodes += 1
        if self._status:
            self._status.update(f"{self._step}: {self._nodes} models and tests done, last {escape(name)}")

    def say(self, text: str, style: str = "") -> None:
        """A line for a person."""
        self.console.print(escape(text), style=style, soft_wrap=True, highlight=False)

    def summary(self, applied: Applied, warehouse: Warehouse, store: str) -> None:
        """The result: what changed, what is there, what was rejected, and three commands to try next."""
        if applied.batches:
            self._changes(applied, warehouse)
        self.relations(warehouse)
        self._missing(applied.batches)
        tests = f"{applied.built.tests} tests passed, " if applied.built else ""
        self.say(f"{tests}warehouse {warehouse.name}, object store {store}, {self.run.elapsed():.1f} s in all")
        if self.banner:
            self.say(self.banner, "bold yellow")

    def _changes(self, applied: Applied, warehouse: Warehouse) -> None:
        first, last = applied.batches[0].batch_id, applied.batches[-1].batch_id
        counted = {
            (batch, name): counts
            for batch, name, *counts in warehouse.rows(
                "select _batch, table_name, rows_added, rows_revised, rows_removed, rows_late "
                f"from {warehouse.prefix}intermediate.int_batch_changes where _batch between {int(first)} and {int(last)}"
            )
        }
        shown = applied.batches[-SHOWN_BATCHES:]
        if len(shown) < len(applied.batches):
            self.say(f"{len(applied.batches)} batches were applied; the last {len(shown)}:")
        for manifest in shown:
            title = f"batch {manifest.batch_id} as of {manifest.as_of:%Y-%m-%d %H:%M:%S} UTC"
            table = Table("table", "mode", title=title, title_justify="left", box=box.SIMPLE_HEAD)
            for name in ("rows", "rejected", "added", "revised", "removed", "late"):
                table.add_column(name, justify="right")
            for name, content in manifest.tables.items():
                changed = counted.get((int(manifest.batch_id), name), [None] * 4)
                numbers = [content.rows_loaded, content.rows_rejected, *changed]
                table.add_row(name, content.mode, *("–" if number is None else f"{number:,}" for number in numbers))
            self.console.print(table)

    def relations(self, warehouse: Warehouse) -> None:
        """The relations that people query, with their rows, and the ratings that are not among them."""
        names = warehouse.relations(*MARTS)
        counts = warehouse.rows(
            " union all ".join(f"select '{name}', count(*) from {warehouse.prefix}{name}" for name in names)
        )
        table = Table("relation", title="the warehouse", title_justify="left", box=box.SIMPLE_HEAD)
        table.add_column("rows", justify="right")
        for name, count in sorted(counts):
            table.add_row(name, f"{count:,}")
        self.console.print(table)
        if "marts.fact_ratings" not in names:
            return
        marts, staging = f"{warehouse.prefix}marts", f"{warehouse.prefix}staging"
        ((inferred, superseded),) = warehouse.rows(
            f"select (select count(*) from {marts}.dim_movies where is_inferred), "
            f"(select count(*) from {staging}.stg_ratings) - (select count(*) from {marts}.fact_ratings)"
        )
        if inferred:
            self.say(
                f"{inferred:,} movies are inferred: ratings, tags or scores name them, movies.csv does not", "yellow"
            )
        if superseded:
            self.say(f"{superseded:,} ratings are superseded by a later one of the same user and movie")

    def rows_that_differ(self, relation: str, columns: Iterable[str], left: list[str], right: list[str]) -> None:
        """The first rows of a relation that are on one side only."""
        self.say(f"  {relation} ({', '.join(columns)}):")
        for side, one, other in (("dev only ", left, right), ("prod only", right, left)):
            for row in sorted((Counter(one) - Counter(other)).elements())[:SHOWN_ROWS]:
                self.say(f"    {side} {row}")

    def _missing(self, batches: tuple[Manifest, ...]) -> None:
        landed = {name for manifest in batches for name in manifest.tables}
        absent = [table.file for name, table in TABLES.items() if name not in landed]
        if batches and batches[0].batch_id == "000001" and absent:
            self.say(f"not in this data set: {', '.join(absent)}; their tables are empty")

    def next_commands(self, job: str, dataset: str, day: int) -> None:
        """Commands to try next: `job` is how this one was called, `day` the sample's next one."""
        self.say("try next:")
        sample = dataset == "sample"
        commands = [
            (f"{job} sample --day {day}", "the next day: watch history grow")
            if sample
            else (f"{job} {dataset} --no-land", "apply what waits, land nothing")
        ]
        if job == DEV:
            commands += [
                ("nox -s notebooks", "charts from the marts"),
                ("nox -s docs -- --serve", "lineage, documentation, data quality"),
            ]
        for command, what in commands:
            self.say(f"  {command:<33} {what}")


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
    table = Table("batch", "as of (UTC)", "table", "mode", "rows", "rejected", box=None)
    for column in table.columns:
        column.no_wrap = True
    for dataset in datasets:
        rows: dict[str, list[tuple[str, ...]]] = {
            record.batch_id: [("withdrawn", escape(record.reason))] for record in withdrawn(store, dataset)
        }
        for batch in committed(store, dataset):
            rows[batch.batch_id] = [
                (f"{batch.as_of:%Y-%m-%d %H:%M:%S}", name, t.mode, f"{t.rows_loaded:,}", f"{t.rows_rejected:,}")
                for name, t in batch.tables.items()
            ]
        for batch_id in sorted(rows):
            first, *others = rows[batch_id]
            table.add_row(f"{dataset} {batch_id}", *first)
            for other in others:
                table.add_row("", "", *other[1:])
    return table
