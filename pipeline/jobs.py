"""The jobs behind the commands: land, run (land and apply), replay, rebuild, parity, and builds for developers."""

from __future__ import annotations

import math
import os
import re
import shutil
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest.batches.committed import committed_ids, latest
from ingest.batches.landing import Landing, check_lines
from ingest.batches.landing import land as land_source
from ingest.settings import Settings
from ingest.sources.archive import open_source
from ingest.sources.replay import slices
from ingest.sources.sample.cache import size_and_day
from ingest.sources.sample.day import as_of
from ingest.store.bucket import Store
from pipeline.apply import Context, apply, check_dataset, only_dataset
from pipeline.dbt import BUILT, Dbt, project_version, same_models
from pipeline.fingerprints import differences, fingerprints, only_on_one_side
from pipeline.follow import apply_as_landed
from pipeline.report import Report
from pipeline.summary import relations, summary
from pipeline.target import run_context, warehouse_of
from pipeline.warehouse import State, Warehouse, duckdb_warehouse, snowflake_warehouse
from profiles import engine
from profiles.errors import PipelineError


def land(landing: Landing, store: Store, warehouse: Warehouse | None, settings: Settings, report: Report) -> None:
    """Lands one batch, or, of the sample, the days up to the given one that are not landed yet.

    Raises `PipelineError` where the `warehouse` holds another data set, or the store a sample of another size.
    """
    if warehouse:
        check_dataset(warehouse.state(), warehouse, landing.dataset)
    days = [landing.day]
    if landing.generated:
        newest = latest(store, landing.dataset)
        size, _ = size_and_day(newest.source.name) if newest else (None, None)
        if size and landing.ratings not in (None, size):
            raise PipelineError(
                f"A sample of {size:,} ratings is landed; one of {landing.ratings:,} has other users and movies. Leave "
                f"out --ratings, or set MOVIELENS_DATA_DIR to another folder."
            )
        landing = replace(landing, ratings=landing.ratings or size)
        days = [day for day in range(1, landing.day + 1) if newest is None or as_of(day) > newest.as_of] or days
    for day in days:
        date = landing.as_of if day == landing.day else None
        landed = land_source(replace(landing, day=day, as_of=date), store, settings, report.console)
        for warning in landed.warnings:
            report.say(warning, "yellow")
        report.say(landed.summary())


def run(
    target: str,
    settings: Settings,
    report: Report,
    landing: Landing | None,
    dataset: str | None,
    follow: bool,
    accepted: Sequence[str],
) -> None:
    """The main job: lands unless `landing` is None, applies every batch that waits, and says what is there.

    With `follow`, goes on applying what others commit until it is interrupted. `accepted` names batches whose failed
    checks only warn.
    """
    if landing:
        landing.check()  # before a store is started for it
    with run_context(target, settings, report, accepted, landing=landing) as context:
        if landing:
            with report.step("land"):
                land(landing, context.store, context.warehouse, settings, report)
        name = (
            landing.dataset if landing else dataset or context.warehouse.state().dataset or only_dataset(context.store)
        )
        if not follow:
            _check_accepted(accepted, context.store, name)
        applied = apply(context, name)
        if applied is None:
            report.say("nothing new: 0 batches applied, 0 rows changed", "green")
        summary(context, applied)
        if stale := _stale(context.warehouse, settings.stale_after_days):
            report.run.stale = stale
            report.say(stale, "yellow")
        _next_commands(context, name)
        if follow:
            apply_as_landed(context, name, settings.data_dir / "runs", engine(target).poll_seconds)


def _check_accepted(accepted: Sequence[str], store: Store, dataset: str) -> None:
    if unknown := set(accepted) - set(committed_ids(store, dataset) if accepted else ()):
        raise PipelineError(f"--accept {min(unknown)}: {dataset} has no such batch.")


def _next_commands(context: Context, dataset: str) -> None:
    """Commands to try next."""
    report, newest = context.report, latest(context.store, dataset) if dataset == Landing.dataset else None
    job = f"nox -s {report.run.target} --{' --emulator' if report.banner else ''}"
    _, day = size_and_day(newest.source.name) if newest else (None, None)
    commands = (
        {f"{job} sample --day {day + 1}": "the next day: watch history grow"}
        if day
        else {f"{job} {dataset} --no-land": "apply what waits, land nothing"}
    )
    if engine(report.run.target).is_local:
        commands["nox -s notebooks"] = "charts from the marts"
        commands["nox -s docs -- --serve"] = "lineage, documentation, data quality"
    report.say("try next:")
    for command, what in commands.items():
        report.say(f"  {command:<33} {what}")


def _stale(warehouse: Warehouse, days: int | None) -> str:
    """How old the data is, in words, when it is older than it may be; else ''."""
    ((newest,),) = warehouse.rows("select max(as_of) from raw.batches") if days else ((None,),)
    if newest is None or datetime.now(UTC).replace(tzinfo=None) - newest < timedelta(days=days or 0):
        return ""
    return f"the newest batch is as of {newest:%Y-%m-%d}, more than {days} days ago"


def replay(settings: Settings, report: Report, landing: Landing, batches: int, accepted: Sequence[str] = ()) -> None:
    """Cuts a data set by event time, lands and builds the pieces one after another, and reports the latency of each.

    A replay that was stopped goes on where it was; `accepted` as for `run`. Raises `PipelineError` when other batches
    are landed already.
    """
    path, *_ = landing.located(settings)
    work = settings.data_dir / "replay"
    shutil.rmtree(work, ignore_errors=True)
    latencies: list[float] = []
    with open_source(path) as source, run_context("dev", settings, report, accepted) as context:
        check_dataset(context.warehouse.state(), context.warehouse, landing.dataset)
        with report.step("check"):  # the whole: of a piece of some lines, a single one may be much
            digest = check_lines(source, landing, settings)
        newest, of = latest(context.store, landing.dataset), f"of-{batches}-{digest[:12]}"
        done = _slices_done(newest.source.name, of) if newest else -1
        for piece in slices(source, work, batches):
            if piece.number < done:
                continue
            started = time.monotonic()
            # The folder's name is the batch's source: by it, a later run knows how far this one came.
            folder = piece.folder.rename(work / f"replay-{piece.number}-{of}")
            part = Landing(landing.dataset, folder, piece.mode, piece.as_of, max_rejected=1)
            land_source(part, context.store, settings, report.console)
            landed = time.monotonic()
            with report.another_run(settings.data_dir / "runs"):
                applied = apply(context, landing.dataset)
            folder.rename(piece.folder)
            latency = time.monotonic() - landed
            what = f"batch {piece.number:>3} of {batches}" if piece.number else "first load"
            took = f"landed in {landed - started:.1f} s, queryable after {latency:.1f} s"
            outcome = "was there" if applied is None else took
            report.say(f"  {what:<16}{piece.rows:>12,} rows  to {piece.as_of:%Y-%m-%d %H:%M}  {outcome}")
            if piece.number and applied is not None:
                latencies.append(latency)
        relations(report, context.warehouse)
    shutil.rmtree(work, ignore_errors=True)
    if latencies:
        p95 = sorted(latencies)[math.ceil(len(latencies) * 95 / 100) - 1]
        report.say(
            f"landed→queryable: median {statistics.median(latencies):.1f} s, p95 {p95:.1f} s, {len(latencies)} batches"
        )


def _slices_done(source: str, of: str) -> int:
    found = re.fullmatch(rf"replay-(\d+)-{of}", source)
    if not found:
        raise PipelineError(
            f"Batches are landed already that are not of this replay (the newest is {source}): a replay needs an "
            f"empty data folder. Set MOVIELENS_DATA_DIR to a new one."
        )
    return int(found[1])


def rebuild(target: str, settings: Settings, report: Report, dataset: str | None, accepted: Sequence[str]) -> None:
    """Replays all landed batches into a new warehouse, compares it with the published one, and only then replaces that.

    `accepted` as for `run`. Raises `PipelineError` when they differ though the same dbt project made both of the same
    batches; a column that only one of them has is another project's.
    """
    old, state = warehouse_of(target, settings), State()
    try:
        state = old.state()
    except PipelineError as error:
        report.say(f"not compared: {error}", "yellow")
    with run_context(target, settings, report, accepted, anew=True) as context:

        def compare() -> None:
            if other := context.copy.state().loaded.keys() ^ state.loaded.keys():
                report.say(f"not compared: the old warehouse differs by batch {', '.join(sorted(other))}", "yellow")
                return
            with report.step("compare"):
                before, after = fingerprints(old), fingerprints(context.copy)
                found = "; ".join(differences(before, after).values())
            # A snapshot keeps a column that a project had for a while.
            other_columns = any(before[name].columns != after[name].columns for name in before.keys() & after.keys())
            same = state.last_build is None or same_models(state.last_build.project_version, project_version())
            if not found:
                report.say("the rebuilt warehouse equals the old one, relation by relation, history included", "green")
            elif other_columns or not same:
                report.say(f"the dbt project has changed, and with it the warehouse: {found}", "yellow")
            else:
                raise PipelineError(f"The rebuilt warehouse differs, though the dbt project is the same: {found}.")

        name = dataset or state.dataset or only_dataset(context.store)
        check_dataset(state, old, name)
        _check_accepted(accepted, context.store, name)
        summary(context, apply(context, name, replaced=state, compare=compare if state.loaded else None))
    report.say(f"{old.name} is replaced")


def parity(settings: Settings, report: Report) -> None:
    """Brings Snowflake to the batches of the DuckDB warehouse, and compares marts, history and raw's row counts.

    Raises `PipelineError` on any difference, having shown the first rows that differ.
    """
    here = duckdb_warehouse(settings.warehouse, read_only=True)
    dataset = here.state().dataset
    if dataset is None:
        raise PipelineError(f"{here.name} is empty: build it first with `nox -s dev`.")
    with run_context("prod", settings, report) as context:
        apply(context, dataset)
        with report.step("compare"):
            left, right = fingerprints(here), fingerprints(context.warehouse)
        found = differences(left, right)
        for relation, difference in found.items():
            report.say(difference, "red")
            if relation in left.keys() & right.keys() and not relation.startswith("raw."):
                for row in only_on_one_side(here, context.warehouse, relation):
                    report.say(f"    {row}")
    if found:
        raise PipelineError(f"{len(found)} of {len({*left, *right})} relations differ between the targets.")
    report.say(f"parity: {len(left)} relations are the same on both targets, marts and history row for row", "green")


def build_changed(report: Report, folder: Path) -> None:
    """Builds and tests what differs from production's manifest in `folder`, and what depends on it.

    Everything else is read where production built it; the schemas carry MOVIELENS_SCHEMA_PREFIX.
    """
    prefix = os.environ.get("MOVIELENS_SCHEMA_PREFIX", "")
    if not re.fullmatch(r"ci_[0-9]+_", prefix):
        raise PipelineError(
            f"MOVIELENS_SCHEMA_PREFIX must be like ci_123_, so that its schemas expire; it is {prefix!r}."
        )
    if not (folder / "manifest.json").is_file():
        raise PipelineError(f"{folder} has no manifest.json: fetch the one of the last production run.")
    os.environ["MOVIELENS_RAW_PREFIX"] = ""
    dbt = Dbt("ci", report.node, report.run.nodes.extend)
    with report.step("expired schemas"):
        dbt.drop_expired_schemas()
    with report.step("changed models"):
        dbt.build(select="state:modified+", full_refresh=True, defer_to=folder.resolve())
    models = sum(node.kind in BUILT for node in report.run.nodes)
    report.say(f"{models} models and {report.run.tests} tests passed in {prefix}*")


def build_sandbox(report: Report, name: str) -> None:
    """Builds and tests the project in schemas of one's own, `dev_<name>_*`, from production's raw data.

    History begins as a clone of production's. Needs a role that may read all of it and create schemas.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]{0,30}", name):
        raise PipelineError(f"--sandbox takes a name of lower-case letters and digits, not {name!r}.")
    prefix, production = f"dev_{name}_", snowflake_warehouse()
    if not production.state().loaded:
        raise PipelineError(f"{production.name} holds no batch: run `nox -s prod` first. Nothing was built.")
    histories = production.relations("snapshots")
    with report.step("history"), production.cursor() as cursor:
        cursor.execute(f"create transient schema if not exists {prefix}snapshots")
        for history in histories:
            cursor.execute(f"drop table if exists {prefix}{history}")
            cursor.execute(f"create transient table {prefix}{history} clone {history}")
    os.environ |= {"MOVIELENS_SCHEMA_PREFIX": prefix, "MOVIELENS_RAW_PREFIX": ""}
    with report.step("build and test"):
        Dbt("ci", report.node, report.run.nodes.extend).build(full_refresh=True)
    report.say(f"{report.run.tests} tests passed in {prefix}*; production was only read")
