"""`python -m pipeline`: the jobs behind the nox sessions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from ingest.__main__ import LandingMode, parse_as_of
from ingest.errors import IngestError
from ingest.settings import Settings
from ingest.store.embedded import object_store
from ingest.text import Console
from pipeline import jobs
from pipeline.errors import PipelineError
from pipeline.report import Report
from pipeline.target import emulated
from pipeline.warehouse import duckdb_warehouse

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

Dataset = Annotated[
    str | None, typer.Argument(help="A release such as ml-latest-small, or sample (generated).", show_default="sample")
]
Source = Annotated[Path | None, typer.Option(help="A local zip or folder instead of the download.")]
Mode = Annotated[LandingMode, typer.Option(help="full: whole tables; delta: new and changed rows.")]
AsOf = Annotated[
    str | None, typer.Option(help="What the batch speaks for: a date or ISO timestamp (UTC); default: its newest file.")
]
MaxRejected = Annotated[float, typer.Option(min=0, max=1, help="Share of a file's lines that may be rejected.")]
Day = Annotated[
    int, typer.Option(min=1, help="Day of the sample; days before it that are not landed are landed first.")
]
Ratings = Annotated[int, typer.Option(min=1, help="Number of ratings in the sample.")]
NoLand = Annotated[bool, typer.Option("--no-land", help="Apply what is landed, land nothing.")]
Accept = Annotated[
    list[str] | None, typer.Option(help="A batch id whose failed expectations are known and accepted; may be repeated.")
]
Follow = Annotated[bool, typer.Option("--follow", help="Keep watching for landed batches until Ctrl-C.")]


@app.command()
def dev(
    dataset: Dataset = None,
    source: Source = None,
    mode: Mode = LandingMode.full,
    as_of: AsOf = None,
    max_rejected: MaxRejected = 0.001,
    day: Day = 1,
    ratings: Ratings = 100_000,
    no_land: NoLand = False,
    follow: Follow = False,
    accept: Accept = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Replay all landed batches into a new warehouse, compare, then replace.")
    ] = False,
) -> None:
    """Everything on a laptop: land a data set, load it into DuckDB, build and test the marts."""
    with told():
        landing = jobs.Landing(dataset, source, mode.value, parse_as_of(as_of), max_rejected, day, ratings)
        if rebuild:
            jobs.rebuild(Settings(), Report(console), accept or ())
        else:
            jobs.run("dev", Settings(), Report(console), None if no_land else landing, dataset, follow, accept or ())


@app.command()
def prod(
    dataset: Dataset = None,
    source: Source = None,
    mode: Mode = LandingMode.full,
    as_of: AsOf = None,
    max_rejected: MaxRejected = 0.001,
    day: Day = 1,
    ratings: Ratings = 100_000,
    no_land: NoLand = False,
    follow: Follow = False,
    emulator: Annotated[
        bool, typer.Option("--emulator", help="A local stand-in for Snowflake: proves plumbing.")
    ] = False,
    accept: Accept = None,
    changed: Annotated[
        Path | None,
        typer.Option(help="Build only the models that differ from the manifest in this folder, and theirs."),
    ] = None,
) -> None:
    """The same job on Snowflake, credentials from the environment."""
    with told(), emulated(Settings()) if emulator else nullcontext(Settings()) as settings:
        report = Report(console, EMULATOR if emulator else "")
        if changed:
            jobs.build_changed(report, changed)
            return
        landing = jobs.Landing(dataset, source, mode.value, parse_as_of(as_of), max_rejected, day, ratings)
        jobs.run("prod", settings, report, None if no_land else landing, dataset, follow, accept or ())


@app.command()
def parity(
    emulator: Annotated[
        bool, typer.Option("--emulator", help="Compare with the local stand-in for Snowflake.")
    ] = False,
) -> None:
    """Applies what is landed to Snowflake, then compares every relation with the DuckDB warehouse."""
    with told(), emulated(Settings()) if emulator else nullcontext(Settings()) as settings:
        jobs.parity(settings, Report(console, EMULATOR if emulator else ""))


@app.command()
def land(
    dataset: Dataset = None,
    source: Source = None,
    mode: Mode = LandingMode.full,
    as_of: AsOf = None,
    max_rejected: MaxRejected = 0.001,
    day: Day = 1,
    ratings: Ratings = 100_000,
) -> None:
    """Lands one batch and builds nothing; the next run applies every batch that waits."""
    with told():
        landing = jobs.Landing(dataset, source, mode.value, parse_as_of(as_of), max_rejected, day, ratings)
        settings = Settings()
        with object_store(settings, embedded=True) as store:
            jobs.land(landing, store, duckdb_warehouse(settings.warehouse), settings, Report(console))


@app.command()
def replay(
    batches: Annotated[int, typer.Option(min=1, help="How many micro-batches follow the first load.")],
    dataset: Dataset = None,
    source: Source = None,
    ratings: Ratings = 100_000,
) -> None:
    """Cuts a data set by event time, lands and builds the pieces one after another, and tells the latency of each."""
    with told():
        jobs.replay(Settings(), Report(console), jobs.Landing(dataset, source, ratings=ratings), batches)


@contextmanager
def told() -> Iterator[None]:
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
