"""The jobs: land and apply, follow, rebuild."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingest.batch import Mode
from ingest.batches import datasets, latest
from ingest.landing import land_dataset
from ingest.settings import Settings
from ingest.store import Store
from pipeline.apply import Walk, apply, check_dataset
from pipeline.errors import PipelineError
from pipeline.report import Report
from pipeline.target import stage, warehouse_of

POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Landing:
    """What to land: as the options of `ingest land`; `dataset` None means the generated sample."""

    dataset: str | None = None
    source: Path | None = None
    mode: Mode = "full"
    as_of: datetime | None = None
    max_rejected: float = 0.001
    day: int = 1
    ratings: int = 100_000

    @property
    def name(self) -> str:
        """The data set's name."""
        return self.dataset or "sample"


def land(landing: Landing, store: Store, settings: Settings, report: Report) -> None:
    """Lands one batch, or, of the sample, the days up to the given one that are not landed yet."""
    check_dataset(warehouse_of("dev", settings).state(), warehouse_of("dev", settings), landing.name)
    for day in _days(landing, store):
        landed = land_dataset(
            store,
            settings,
            landing.name,
            source=landing.source,
            mode=landing.mode,
            as_of=landing.as_of,
            day=day,
            ratings=landing.ratings,
            max_rejected=landing.max_rejected,
            console=report.console,
        )
        for warning in landed.warnings:
            report.say(warning, "yellow")
        report.say(landed.summary())


def _days(landing: Landing, store: Store) -> list[int]:
    if landing.name != "sample" or landing.source:
        return [1]
    from ingest.sample import as_of

    newest = latest(store, "sample")
    missing = [day for day in range(1, landing.day + 1) if newest is None or as_of(day) > newest.as_of]
    return missing or [landing.day]


def run(
    target: str, settings: Settings, report: Report, landing: Landing | None, *, dataset: str | None, follow: bool
) -> None:
    """The main job: lands unless `landing` is None, applies every batch that waits, and says what is there.

    With `follow`, goes on applying what others commit until it is interrupted.
    """
    with stage(target, settings, report) as walk:
        if landing:
            with report.step("land"):
                land(landing, walk.store, settings, report)
        name = landing.name if landing else dataset or _only_dataset(walk)
        applied = apply(walk, name)
        if not applied.built:
            report.say("nothing new: 0 batches applied, 0 rows changed", "green")
        report.summary(applied, walk.warehouse, walk.store.place())
        report.next_commands(name)
        if follow:
            _follow(walk, name, report)


def _only_dataset(walk: Walk) -> str:
    held = walk.warehouse.state().dataset
    if held:
        return held
    landed = datasets(walk.store)
    if len(landed) == 1:
        return landed[0]
    if not landed:
        raise PipelineError("Nothing has been landed yet: run `nox -s dev` without --no-land.")
    raise PipelineError(f"Several data sets are landed ({', '.join(landed)}): name one, as in `nox -s dev -- {landed[0]} --no-land`.")


def _follow(walk: Walk, dataset: str, report: Report) -> None:
    report.say(f"following {walk.store.place(dataset)}; Ctrl-C stops it")
    try:
        while True:
            newest = latest(walk.store, dataset)
            if newest and newest.batch_id not in walk.warehouse.state().loaded:
                started = time.monotonic()
                applied = apply(walk, dataset)
                ids = ", ".join(manifest.batch_id for manifest in applied.batches)
                report.say(f"{datetime.now():%H:%M:%S} batch {ids} is queryable after {time.monotonic() - started:.1f} s")
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        report.say("stopped following")
