"""`python -m pipeline`: the jobs behind the nox sessions."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Annotated, Literal

import typer

from expectations.gate import Gate
from ingest.batches.landing import Landing
from ingest.batches.withdrawal import withdraw as take_back
from ingest.errors import SourceError
from ingest.manifest import BATCH_ID
from ingest.settings import Settings
from ingest.store.embedded import object_store
from pipeline import bootstrap, jobs
from pipeline.alerts import alert
from pipeline.command_line import Dataset, MaxRejected, OneLineErrors, Ratings, Source, console, lands
from pipeline.dbt import ROOT
from pipeline.report import Report
from pipeline.runs import read as read_runs
from pipeline.runs import recorded
from pipeline.summary import batches_table, runs_table
from pipeline.target import emulated
from pipeline.warehouse import duckdb_warehouse
from profiles import engine, snowflake
from profiles.environment import adopt
from profiles.errors import PipelineError

app = typer.Typer(
    cls=OneLineErrors,
    help="Lands MovieLens data, loads it, builds the marts and checks them, on DuckDB (dev) or Snowflake (prod).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
EMULATOR = "This is a local emulator, not Snowflake: it shows that the parts fit, not that Snowflake accepts the SQL."

NoLand = Annotated[bool, typer.Option("--no-land", help="Apply what is landed, land nothing.")]
Accept = Annotated[
    list[str] | None, typer.Option(help="A batch to publish although its checks failed; may be repeated.")
]
Rebuild = Annotated[
    bool,
    typer.Option(
        "--rebuild",
        help="Replay all landed batches into a new warehouse; of the same batches and project, it must equal the old one.",
    ),
]
Follow = Annotated[bool, typer.Option("--follow", help="Keep watching for landed batches until Ctrl-C.")]
Emulator = Annotated[bool, typer.Option("--emulator", help="Use a local stand-in instead of Snowflake.")]


@app.callback()
def environment(context: typer.Context) -> None:
    """Every command reads the settings once and leaves the rest of the caller's environment behind."""
    if sys.platform == "win32":
        raise PipelineError("This runs on Linux and macOS; on Windows, use it in WSL.")
    if context.invoked_subcommand != "bootstrap":  # which takes settings that no run has
        adopt()


@app.command()
@lands
def dev(
    landing: Landing,
    dataset: Dataset = None,
    no_land: NoLand = False,
    follow: Follow = False,
    accept: Accept = None,
    rebuild: Rebuild = False,
) -> None:
    """The whole job on a laptop: lands a data set, loads it into DuckDB, builds, tests, judges and publishes."""
    with started("dev", "dev") as (settings, report):
        _check_options(landing, follow, rebuild=rebuild, no_land=no_land)
        if rebuild:
            jobs.rebuild("dev", settings, report, dataset, accept or ())
        else:
            jobs.run("dev", settings, report, None if no_land else landing, dataset, follow, accept or ())


@app.command()
@lands
def prod(
    landing: Landing,
    dataset: Dataset = None,
    no_land: NoLand = False,
    follow: Follow = False,
    emulator: Emulator = False,
    accept: Accept = None,
    rebuild: Rebuild = False,
    sandbox: Annotated[
        str | None, typer.Option(help="Build in schemas of your own, dev_<name>_*, from production's raw data.")
    ] = None,
    changed: Annotated[
        Path | None,
        typer.Option(
            help="Build only the models that differ from the dbt manifest in this folder, and what depends on them."
        ),
    ] = None,
) -> None:
    """The same job on Snowflake, with credentials from the environment."""
    with started("prod", "prod", emulator) as (settings, report):
        _check_options(landing, follow, changed=changed, sandbox=sandbox, rebuild=rebuild, no_land=no_land)
        if changed:
            jobs.build_changed(report, changed)
        elif sandbox:
            jobs.build_sandbox(report, sandbox)
        elif rebuild:
            jobs.rebuild("prod", settings, report, dataset, accept or ())
        else:
            jobs.run("prod", settings, report, None if no_land else landing, dataset, follow, accept or ())


@app.command()
def parity(emulator: Emulator = False) -> None:
    """Applies the landed batches to Snowflake, then compares marts and history with the DuckDB warehouse."""
    with started("parity", "prod", emulator) as (settings, report):
        jobs.parity(settings, report)


@app.command()
@lands
def land(
    landing: Landing,
    withdraw: Annotated[
        str | None, typer.Option(help="Take this batch back instead of landing one; its files stay.")
    ] = None,
    withdraw_after: Annotated[str | None, typer.Option(help="Take back all batches after this one.")] = None,
    reason: Annotated[str, typer.Option(help="Why it is taken back, for the record.")] = "",
) -> None:
    """Lands one batch, or takes landed ones back, and builds nothing; the next run brings the warehouse up to date."""
    with started("land", "") as (settings, report):
        wanted = {"withdraw": withdraw, "withdraw-after": withdraw_after} | landing.given
        ways = [name for name, given in wanted.items() if given is not None]
        lands = withdraw is None and withdraw_after is None
        if lands and reason:
            raise SourceError("--reason is that of a withdrawal: say which batch with --withdraw")
        if not lands and len(ways) > 1:
            raise SourceError(f"--{ways[0]} and --{ways[1]} exclude each other")
        if lands:
            landing.check()
        local = engine(settings.target).is_local
        with object_store(settings, embedded=local) as store:
            if lands:
                # Landing needs no Snowflake: there, the next run refuses another data set.
                warehouse = duckdb_warehouse(settings.warehouse, read_only=True) if local else None
                jobs.land(landing, store, warehouse, settings, report)
                return
            batch_id = str(withdraw_after if withdraw is None else withdraw)
            records = take_back(store, landing.dataset, batch_id, after=withdraw is None, reason=reason)
        ids = ", ".join(record.batch_id for record in records)
        report.say(f"{landing.dataset}: withdrawn: {ids}. The next run brings the warehouse up to date.")


@app.command()
def replay(
    batches: Annotated[int, typer.Option(min=1, max=10_000, help="How many micro-batches follow the first load.")],
    dataset: Dataset = None,
    source: Source = None,
    ratings: Ratings = Landing.ratings,
    max_rejected: MaxRejected = Landing.max_rejected,
    accept: Accept = None,
) -> None:
    """Cuts a data set by event time, lands and builds the pieces one after another, and reports the latency of each."""
    landing = Landing(dataset or Landing.dataset, source, max_rejected=max_rejected, ratings=ratings)
    with started("replay", "dev") as (settings, report):
        jobs.replay(settings, report, landing, batches, accept or ())


@app.command()
def diff(
    dataset: Annotated[str | None, typer.Argument(help="The data set, if several are landed.")] = None,
    base: Annotated[str, typer.Option(help="The git ref to compare the working tree with.")] = "main",
    fail_on_change: Annotated[bool, typer.Option("--fail-on-change", help="Exit 1 when the data differs.")] = False,
) -> None:
    """Builds the dbt project of a git ref and of the working tree from the same batches; shows how the data differs."""
    from pipeline.diff import run

    with started("diff", "dev") as (settings, report):
        found = run(base, dataset, settings, report)
    if fail_on_change and found.changed:
        raise typer.Exit(1)


@app.command()
def docs(
    out: Annotated[Path, typer.Option(help="The site's folder, replaced as a whole.", file_okay=False)] = ROOT / "site",
    serve: Annotated[bool, typer.Option("--serve", help="Serve it on 127.0.0.1 until Ctrl-C.")] = False,
) -> None:
    """Builds the site from the current warehouse: its state, lineage, documentation, Data Docs and notebooks."""
    from pipeline.site.build import build
    from pipeline.site.serve import SiteServer

    report = Report(console)
    page = build(out.resolve(), Settings(), lambda text: report.say(f"  {text}"))
    report.say(str(page), "green")
    if serve:
        with SiteServer(page.parent) as serving, suppress(KeyboardInterrupt):
            report.say(f"{serving.address} (Ctrl-C stops it)", "green")
            serving.serve_forever()


@app.command()
def notebooks() -> None:
    """Executes the notebooks on the current warehouse and renders them in the data folder's `notebooks/`."""
    from notebooks import marts, run

    marts.connect().close()
    run.run(Settings().data_dir / "notebooks")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context) -> None:
    """Opens JupyterLab, whose options it takes, on the marts."""
    # On a port, what a cell prints would be there for everyone on the machine.
    own = ["--notebook-dir", str(ROOT / "notebooks"), "--KernelManager.transport=ipc"]
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *own, *context.args])  # noqa: S606 - no shell is wanted


@app.command()
def judge(
    target: Annotated[Literal["dev", "prod", "ci"], typer.Option(help="Whose warehouse.")] = "dev",
    batch: Annotated[list[str] | None, typer.Option(help="One to judge, not the newest; may be repeated.")] = None,
    accept: Accept = None,
) -> None:
    """Judges what is published once more, and publishes nothing; exit code 1 when a check of severity error fails."""
    for given in (*(batch or ()), *(accept or ())):
        if not re.fullmatch(BATCH_ID, given):
            raise PipelineError(f"{given!r} is no batch's id, which has six digits, such as 000001.")
    with Gate(target) as gate, console.status("judging (Great Expectations takes some seconds to start)"):
        verdict = gate.check(batch or (), accept or ())
    for part in verdict.tables():
        console.print(part)
    outcome = "[green]passed" if verdict.passed else "[red]failed"
    console.print(f"{outcome}[/]: {verdict.summary()}, {verdict.seconds:.1f} s", highlight=False)
    raise typer.Exit(0 if verdict.passed else 1)


@app.command("bootstrap")
def prepare_account(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the SQL and change nothing.")] = False,
) -> None:
    """Prepares a Snowflake account, as its administrator: the environment's user needs the role ACCOUNTADMIN."""
    plan = bootstrap.plan(os.environ)
    if dry_run:
        print(plan.sql)
        for setting in plan.missing:
            typer.echo(f"-- {setting.name} is not set: {setting.meaning}", err=True)
        return
    bootstrap.run(plan, snowflake.connect("accountadmin"))
    print(f"Snowflake is ready. Next: the trust policy, with `desc integration {plan.values['database']}_s3`.")


@app.command("runs")
def list_runs(last: Annotated[int, typer.Option(min=1, help="How many runs to list.")] = 20) -> None:
    """Lists the newest runs, including failed and killed ones."""
    records = read_runs(Settings().data_dir / "runs")[:last]
    console.print(runs_table(records) if records else "Nothing has been run yet.")


@app.command("list")
def list_batches(dataset: Annotated[str | None, typer.Argument(help="Only this data set.")] = None) -> None:
    """Lists the landed batches, including withdrawn ones."""
    settings = Settings()
    with object_store(settings, embedded=engine(settings.target).is_local) as store:
        table = batches_table(store, [dataset] if dataset else store.folders())
    console.print(table if table.rows else "Nothing is landed yet.")


def _check_options(landing: Landing, follow: bool, **options: object) -> None:
    """Raises `SourceError` for options that exclude each other, and for those of a landing where nothing is landed."""
    given = [name.replace("_", "-") for name, value in options.items() if value]
    ways = [*(name for name in given if name != "no-land"), *(["follow"] if follow else [])]
    if len(ways) > 1:
        raise SourceError(f"--{ways[0]} and --{ways[1]} exclude each other")
    if given and landing.source:
        raise SourceError(f"--{given[0]} lands nothing: land {landing.source} first, or leave out --source")
    for option in landing.given if given else ():
        raise SourceError(f"--{given[0]} lands nothing: leave out --{option}")


@contextmanager
def started(job: str, target: str, emulator: bool = False) -> Iterator[tuple[Settings, Report]]:
    """A job's settings and report; its run is recorded, and an alert is sent when it fails."""
    with emulated(Settings()) if emulator else nullcontext(Settings()) as settings:
        report = Report(console, EMULATOR if emulator else "")
        report.run.job, report.run.target = job, target
        if target and not engine(target).is_local and (lacking := snowflake.missing()):
            raise PipelineError(f"Snowflake needs {'; '.join(lacking)}. Nothing was written. See docs/production.md.")
        runs, run = settings.data_dir / "runs", report.run
        try:
            with recorded(run, runs):
                yield settings, report
        finally:
            run = report.run if report.run.outcome == "failed" else run
            if problem := alert(run, run.path(runs), settings):
                report.say(problem, "yellow")


if __name__ == "__main__":
    app(prog_name="python -m pipeline")
