"""`python -m pipeline`: the jobs behind the nox sessions."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from ingest.batches.committed import committed, withdrawn
from ingest.batches.landing import Landing
from ingest.batches.manifest import Manifest
from ingest.batches.withdrawal import withdraw as take_back
from ingest.errors import IngestError, SourceError
from ingest.settings import Settings, absolute
from ingest.store.embedded import object_store
from ingest.text import Console
from pipeline import jobs
from pipeline.alerts import alert
from pipeline.report import Report
from pipeline.runs import read as read_runs
from pipeline.runs import recorded
from pipeline.target import emulated
from pipeline.warehouse import duckdb_warehouse
from profiles import engine
from profiles.environment import adopt
from profiles.errors import PipelineError

app = typer.Typer(
    help="Lands MovieLens data, loads it, builds the marts and checks them, on DuckDB (dev) or Snowflake (prod).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# Where no terminal says how wide it is, tables still need room.
console = Console(width=None if sys.stdout.isatty() else 100)
errors = Console(stderr=True)
EMULATOR = "This is a local emulator, not Snowflake: it proves the plumbing, not that Snowflake accepts the SQL."


class LandingMode(StrEnum):
    """`full`: the files are whole tables; `delta`: new and changed rows."""

    full = "full"
    delta = "delta"


def _path(text: str) -> Path:
    try:
        return absolute(text)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None


Dataset = Annotated[
    str | None, typer.Argument(help="A release such as ml-latest-small, or sample (generated).", show_default="sample")
]
Source = Annotated[
    Path | None,
    typer.Option(parser=_path, metavar="PATH", help="A local zip or folder instead of the download."),
]
Mode = Annotated[LandingMode, typer.Option(help="full: whole tables; delta: new and changed rows.")]
AsOf = Annotated[
    str | None, typer.Option(help="What the batch speaks for: a date or ISO timestamp (UTC); default: its newest file.")
]
AllowFuture = Annotated[bool, typer.Option("--allow-future", help="Let --as-of lie ahead of this machine's clock.")]
MaxRejected = Annotated[float, typer.Option(min=0, max=1, help="Share of a file's lines that may be rejected.")]
FollowLinks = Annotated[bool, typer.Option("--follow-links", help="Follow links that lead out of a source folder.")]
Day = Annotated[
    int, typer.Option(min=1, max=1000, help="Day of the sample; days before it that are not landed are landed first.")
]
Ratings = Annotated[int, typer.Option(min=1, max=1_000_000_000, help="Number of ratings in the sample.")]
NoLand = Annotated[bool, typer.Option("--no-land", help="Apply what is landed, land nothing.")]
Accept = Annotated[
    list[str] | None, typer.Option(help="A batch id whose failed expectations are known and accepted; may be repeated.")
]
Rebuild = Annotated[
    bool, typer.Option("--rebuild", help="Replay all landed batches into a new warehouse, compare, then replace.")
]
Follow = Annotated[bool, typer.Option("--follow", help="Keep watching for landed batches until Ctrl-C.")]


@app.callback()
def environment() -> None:
    """Every command reads the settings once and leaves the rest of the caller's environment behind."""
    with one_line_errors():
        if sys.platform == "win32":
            raise PipelineError("This runs on Linux and macOS; on Windows, use it in WSL.")
        adopt()


@app.command()
def dev(
    dataset: Dataset = None,
    source: Source = None,
    mode: Mode = LandingMode.full,
    as_of: AsOf = None,
    allow_future: AllowFuture = Landing.allow_future,
    max_rejected: MaxRejected = Landing.max_rejected,
    follow_links: FollowLinks = Landing.follow_links,
    day: Day = Landing.day,
    ratings: Ratings = Landing.ratings,
    no_land: NoLand = False,
    follow: Follow = False,
    accept: Accept = None,
    rebuild: Rebuild = False,
) -> None:
    """Everything on a laptop: land a data set, load it into DuckDB, build and test the marts."""
    landing = _landing(dataset, source, mode, as_of, allow_future, max_rejected, follow_links, day, ratings)
    with started("dev", "dev") as (settings, report):
        if rebuild:
            jobs.rebuild("dev", settings, report, accept or ())
        else:
            jobs.run("dev", settings, report, None if no_land else landing, dataset, follow, accept or ())


@app.command()
def prod(
    dataset: Dataset = None,
    source: Source = None,
    mode: Mode = LandingMode.full,
    as_of: AsOf = None,
    allow_future: AllowFuture = Landing.allow_future,
    max_rejected: MaxRejected = Landing.max_rejected,
    follow_links: FollowLinks = Landing.follow_links,
    day: Day = Landing.day,
    ratings: Ratings = Landing.ratings,
    no_land: NoLand = False,
    follow: Follow = False,
    emulator: Annotated[
        bool, typer.Option("--emulator", help="A local stand-in for Snowflake: proves plumbing.")
    ] = False,
    accept: Accept = None,
    rebuild: Rebuild = False,
    sandbox: Annotated[
        str | None, typer.Option(help="Build in schemas of your own, dev_<name>_*, from production's raw data.")
    ] = None,
    changed: Annotated[
        Path | None,
        typer.Option(help="Build only the models that differ from the manifest in this folder, and theirs."),
    ] = None,
) -> None:
    """The same job on Snowflake, credentials from the environment."""
    landing = _landing(dataset, source, mode, as_of, allow_future, max_rejected, follow_links, day, ratings)
    with started("prod", "prod", emulator) as (settings, report):
        if changed:
            jobs.build_changed(report, changed)
            return
        if sandbox:
            jobs.build_sandbox(report, sandbox)
            return
        if rebuild:
            jobs.rebuild("prod", settings, report, accept or ())
            return
        jobs.run("prod", settings, report, None if no_land else landing, dataset, follow, accept or ())


@app.command()
def parity(
    emulator: Annotated[
        bool, typer.Option("--emulator", help="Compare with the local stand-in for Snowflake.")
    ] = False,
) -> None:
    """Applies what is landed to Snowflake, then compares every relation with the DuckDB warehouse."""
    with started("parity", "prod", emulator) as (settings, report):
        jobs.parity(settings, report)


@app.command()
def land(
    dataset: Dataset = None,
    source: Source = None,
    mode: Mode = LandingMode.full,
    as_of: AsOf = None,
    allow_future: AllowFuture = Landing.allow_future,
    max_rejected: MaxRejected = Landing.max_rejected,
    follow_links: FollowLinks = Landing.follow_links,
    day: Day = Landing.day,
    ratings: Ratings = Landing.ratings,
    withdraw: Annotated[str | None, typer.Option(help="Take this landed batch back instead; its parts stay.")] = None,
    withdraw_after: Annotated[str | None, typer.Option(help="Take all batches after this one back.")] = None,
    reason: Annotated[str, typer.Option(help="Why it is withdrawn, for the record.")] = "",
) -> None:
    """Lands one batch, or takes landed ones back, and builds nothing; the next run brings the warehouse up to date."""
    landing = _landing(dataset, source, mode, as_of, allow_future, max_rejected, follow_links, day, ratings)
    with started("land", "") as (settings, report):
        if withdraw is not None or withdraw_after is not None:
            if (withdraw is not None and withdraw_after is not None) or source:
                raise SourceError("--withdraw, --withdraw-after and --source exclude each other")
            with object_store(settings, embedded=True) as store:
                after, batch = withdraw is None, withdraw or withdraw_after or ""
                records = take_back(store, dataset or Landing.dataset, batch, after=after, reason=reason)
            ids = ", ".join(record.batch_id for record in records)
            console.print(f"{records[0].dataset}: withdrawn: {ids}. The next run brings the warehouse up to date.")
            return
        with object_store(settings, embedded=True) as store:
            jobs.land(landing, store, duckdb_warehouse(settings.warehouse, read_only=True), settings, report)


@app.command()
def replay(
    batches: Annotated[int, typer.Option(min=1, max=10_000, help="How many micro-batches follow the first load.")],
    dataset: Dataset = None,
    source: Source = None,
    ratings: Ratings = 100_000,
) -> None:
    """Cuts a data set by event time, lands and builds the pieces one after another, and tells the latency of each."""
    with one_line_errors():
        landing = Landing(dataset or Landing.dataset, source, ratings=ratings)
    with started("replay", "dev") as (settings, report):
        jobs.replay(settings, report, landing, batches)


@app.command()
def diff(
    dataset: Annotated[str | None, typer.Argument(help="Where several data sets are landed: which.")] = None,
    base: Annotated[str, typer.Option(help="The git ref to compare the working tree with.")] = "main",
    fail_on_change: Annotated[bool, typer.Option("--fail-on-change", help="Exit 1 when the data differs.")] = False,
) -> None:
    """Builds the dbt project of a git ref and the working tree's from the same batches; says what the change does."""
    from pipeline.diff import run

    with started("diff", "dev") as (settings, report):
        found = run(base, dataset, settings, report)
    if fail_on_change and found.changed:
        raise typer.Exit(1)


@app.command("runs")
def list_runs(last: Annotated[int, typer.Option(min=1, help="How many of the newest.")] = 20) -> None:
    """Lists the newest runs, failed and killed ones too."""
    table = Table(box=None)
    for title in ("started (UTC)", "job", "outcome", "batches"):
        table.add_column(title, no_wrap=True)
    for title in ("rows", "tests", "findings", "seconds"):
        table.add_column(title, justify="right", min_width=len(title) + 1)
    table.add_column("error", overflow="ellipsis", max_width=24, no_wrap=True)
    with one_line_errors():
        records = read_runs(Settings().data_dir / "runs")[:last]
    for record in records:
        when, batches = f"{record['started_at']:.19}".replace("T", " "), ", ".join(record["batches"])
        counts = f"{record['rows_loaded']:,}", str(record["tests"]), str(len(record["findings"]))
        why = escape(record["error"].split("\n")[0][:40])
        table.add_row(when, record["job"], record["outcome"], batches, *counts, f"{record['seconds']:.1f}", why)
    console.print(table if records else "Nothing has been run yet.")


@app.command("list")
def list_batches(dataset: Annotated[str | None, typer.Argument(help="Only this data set.")] = None) -> None:
    """Lists the landed batches, the withdrawn ones as such."""
    table = Table(box=None)
    for title in ("batch", "as of (UTC)", "table", "mode", "rows", "rejected"):
        table.add_column(title, no_wrap=True)
    with one_line_errors(), object_store(Settings(), embedded=True) as store:
        for name in [dataset] if dataset else store.folders():
            rows = {batch.batch_id: _listed(batch) for batch in committed(store, name)}
            rows |= {record.batch_id: [("withdrawn", escape(record.reason))] for record in withdrawn(store, name)}
            for batch_id in sorted(rows):
                for number, row in enumerate(rows[batch_id]):
                    table.add_row("" if number else f"{name} {batch_id}", *row)
    console.print(table if table.rows else "Nothing is landed yet.")


def _listed(batch: Manifest) -> list[tuple[str, ...]]:
    as_of = f"{batch.as_of:%Y-%m-%d %H:%M:%S}"
    return [
        ("" if number else as_of, name, t.mode, f"{t.rows_read - t.rows_rejected:,}", f"{t.rows_rejected:,}")
        for number, (name, t) in enumerate(batch.tables.items())
    ]


@app.command("store")
def keep_store() -> None:
    """Keeps the embedded store running until Ctrl-C, and says where it is."""
    with one_line_errors(), object_store(settings := Settings(), embedded=True) as store:
        print(f"{store.endpoint_url} (bucket {store.bucket}); Ctrl-C stops it.", flush=True)
        if settings.s3_endpoint_url is None:
            print(f"Its credentials are in {settings.s3_dir.with_name('s3-run') / 'endpoint.json'}.", flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


def _landing(dataset: str | None, source: Path | None, mode: LandingMode, as_of: str | None, *others: Any) -> Landing:
    with one_line_errors():
        return Landing(dataset or Landing.dataset, source, mode.value, instant(as_of), *others)


def instant(text: str | None) -> datetime | None:
    """A date or an ISO timestamp as an instant in UTC, None for none; raises `SourceError` for anything else."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise SourceError(
            f"--as-of {text!r} is neither a date nor an ISO timestamp, such as 2018-09-26T12:00."
        ) from None


@contextmanager
def started(job: str, target: str, emulator: bool = False) -> Iterator[tuple[Settings, Report]]:
    """A job's settings and report; its run is recorded, and what goes wrong is one line."""
    with one_line_errors(), emulated(Settings()) if emulator else nullcontext(Settings()) as settings:
        report = Report(console, EMULATOR if emulator else "")
        report.run.job, report.run.target = job, target
        if target and (lacking := engine(target).missing()):  # a landing has none
            raise PipelineError(f"Snowflake needs {'; '.join(lacking)}. Nothing was written. See docs/production.md.")
        runs = settings.data_dir / "runs"
        try:
            with recorded(report.run, runs):
                yield settings, report
        finally:
            if problem := alert(report.run, report.run.path(runs), settings):
                report.say(problem, "yellow")


@contextmanager
def one_line_errors() -> Iterator[None]:
    """A user's mistake is one message, never a traceback."""
    try:
        yield
    except (IngestError, PipelineError) as error:
        errors.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
        raise typer.Exit(1) from None
    except (KeyboardInterrupt, RuntimeError) as stop:
        if not isinstance(stop, KeyboardInterrupt) and not isinstance(stop.__context__, KeyboardInterrupt):
            raise  # else it is what DuckDB makes of Ctrl-C in a query
        errors.print("stopped; run again to go on from here")
        raise typer.Exit(130) from None


if __name__ == "__main__":
    app(prog_name="python -m pipeline")
