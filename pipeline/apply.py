"""Applies every landed batch that waits to a copy of the warehouse, and publishes it once it has been judged.

Copy, then for each batch load and history, then build, gate, publish. Whatever fails or is killed before
the last step leaves what is published as it was, and the next run begins with a new copy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from ingest.batches.committed import committed, datasets, verify, withdrawn
from ingest.batches.manifest import Manifest
from ingest.store.bucket import Store
from pipeline.dbt import BuildResult, Dbt, project_version
from pipeline.runs import Run
from pipeline.warehouse import Build, State, Warehouse
from profiles.errors import PipelineError

# What history needs of a batch that is not the last one waiting: the snapshots and what they are made of.
HISTORY = "+path:snapshots"
# What every batch adds to: the counts of what it changed, and the ledger, whose tests are on raw itself.
EVERY_BATCH = "int_batch_changes path:tests/raw"


class Gate(Protocol):
    """What a run asks before it publishes: `pipeline.target.ExpectationsGate`; in a diff, one that lets all through."""

    def prepare(self) -> None:
        """Starts what takes long and needs no batch, since `check` is sure to follow."""

    def check(self, batches: Sequence[str]) -> None:
        """Judges batches and the marts; raises `PipelineError` when a check of error severity fails."""


class Publication(Protocol):
    """How a target keeps readers off what was not judged: `profiles.warehouse_file`, `profiles.warehouse_schemas`."""

    def check(self) -> None:
        """Ends what a killed run was publishing; raises `PipelineError` when what is published is damaged."""

    def begin(self, *, empty: bool = False) -> None:
        """Makes a new copy of what is published, or an empty one; the former copy is gone."""

    def publish(self) -> None:
        """Puts the copy in the place of what is published, in one step."""


@dataclass(frozen=True)
class Context:
    """What a run needs: where batches are, where they go, who builds, who judges, and what is shown.

    `warehouse` is what is published and only read, `copy` the one that is worked on. `step` opens a named step for a
    person to see, with its time; `run` is the record of it all.
    """

    store: Store
    warehouse: Warehouse
    copy: Warehouse
    publication: Publication
    dbt: Dbt
    gate: Gate
    step: Callable[[str], AbstractContextManager[None]]
    run: Run = field(default_factory=Run)


@dataclass(frozen=True)
class Applied:
    """The batches that the marts have taken in and what the last build did; neither when nothing waited."""

    batches: tuple[Manifest, ...] = ()
    built: BuildResult | None = None


def check_dataset(state: State, warehouse: Warehouse, dataset: str) -> None:
    """Refuses a second data set: one warehouse holds one."""
    if state.dataset not in (None, dataset):
        raise PipelineError(
            f"{warehouse.name} holds the data set {state.dataset}, not {dataset}: one warehouse holds one data set. "
            f"Set MOVIELENS_DATA_DIR to another folder for {dataset}, or delete the warehouse."
        )


def only_dataset(store: Store) -> str:
    """The data set of a store that holds one; raises `PipelineError` where there is none, or which one is not clear."""
    landed = datasets(store)
    if len(landed) == 1:
        return landed[0]
    if not landed:
        raise PipelineError("Nothing has been landed yet: run `nox -s dev` without --no-land.")
    raise PipelineError(f"Several data sets are landed ({', '.join(landed)}): name one, as in `-- {landed[0]}`.")


def committed_batches(store: Store, state: State, dataset: str, gone: set[str]) -> list[Manifest]:
    """The committed batches of a data set that count, in commit order; those in `gone` were withdrawn.

    Raises `PipelineError` when a batch is gone that others were landed after, or that the warehouse has loaded.
    """
    manifests = committed(store, dataset)
    ids = {manifest.batch_id for manifest in manifests} | gone
    lost = {f"{number:06d}" for number in range(1, len(ids) + 1)} | set(state.loaded)
    if lost := lost - ids:
        raise PipelineError(
            f"{store.address(f'{dataset}/{min(lost)}/manifest.json')} is missing: it was deleted after its commit, or "
            f"this is not the store that the warehouse was loaded from. Without it history cannot be replayed."
        )
    if not manifests:
        raise PipelineError(
            f"Every batch of {dataset} is withdrawn: land another one."
            if gone
            else f"Nothing of {dataset} has been landed yet: `nox -s dev` lands the generated sample, "
            f"`nox -s dev -- ml-latest-small` a release."
        )
    return manifests


def apply(context: Context, dataset: str, *, anew: bool = False, judge: Callable[[], None] | None = None) -> Applied:
    """Brings the marts to the newest committed batch of a data set.

    `anew`: from all landed batches, whatever is published. `judge` may object, by `PipelineError`, to what was built.
    Raises `PipelineError`; what is published is then as it was.
    """
    if not anew:
        context.publication.check()
    published = State() if anew else context.warehouse.state()
    check_dataset(published, context.warehouse, dataset)
    withdrawals = withdrawn(context.store, dataset)
    gone = {record.batch_id for record in withdrawals}
    landed = committed_batches(context.store, published, dataset, gone)
    build = Build(landed[-1].batch_id, project_version())
    if published.last_build == build and published.withdrawn == gone:
        context.run.outcome = "nothing new" if context.run.outcome == "running" else context.run.outcome
        return Applied()
    context.gate.prepare()
    # What a batch has done to marts and history is not taken out row by row: without it they are made anew, and so
    # are the tables of an earlier version.
    state = State() if published.outdated or gone & set(published.loaded) else published
    empty = "an earlier version's warehouse is built anew" if published.outdated else "a new warehouse"
    with context.step("copy" if state.loaded else empty):
        context.publication.begin(empty=not state.loaded)
    try:
        applied = _bring(context, state, landed, judged=published.loaded)
        if judge:
            judge()
        context.copy.complete(build, withdrawals, context.run, datetime.now(UTC))
        with context.step("publish"):
            context.publication.publish()
        context.run.outcome = "published"
    except PipelineError as error:
        still = f"holds batch {published.last_build.batch_id} as before" if published.last_build else "is as it was"
        raise PipelineError(
            f"{error}\n{context.warehouse.name} {still}. What this run made is kept until the next one: {context.copy.name}"
        ) from None
    return applied


def _bring(context: Context, state: State, landed: Sequence[Manifest], judged: Sequence[str]) -> Applied:
    """Loads, builds and judges in the copy what it does not hold; `judged` batches have passed their gate before."""
    waiting = [manifest for manifest in landed if manifest.batch_id not in state.loaded]
    current = state.last_build is not None and state.last_build.project_version == project_version()
    built_to = state.last_build.batch_id if state.last_build else ""
    applied = [manifest for manifest in landed if manifest.batch_id > built_to]
    new = [manifest.batch_id for manifest in applied if manifest.batch_id not in judged] or [landed[-1].batch_id]
    try:
        for manifest in waiting:
            with context.step(f"load {manifest.batch_id}"):
                verify(context.store, manifest)
                context.dbt.load(manifest, context.store.bucket)
                context.run.batches.append(manifest.batch_id)
                context.run.rows_loaded += sum(table.rows_loaded for table in manifest.tables.values())
            if manifest is not waiting[-1]:
                _history(context, manifest, current)
        with context.step("build and test"):
            built = (
                context.dbt.build(select=f"{following(applied)} {EVERY_BATCH}")
                if current
                else _build_anew(context, state)
            )
    except PipelineError as error:
        raise _explained(context, new, error) from None
    with context.step("gate"):
        context.gate.check(new)
    return Applied(tuple(applied), built)


def _explained(context: Context, batches: Sequence[str], error: PipelineError) -> PipelineError:
    """An error of a build after what the gate finds in the batches: bad data may break a build before it is judged."""
    loaded = context.copy.state().loaded
    if not (suspects := [batch_id for batch_id in batches if batch_id in loaded]):
        return error
    try:
        with context.step("gate"):
            context.dbt.measure()
            context.gate.check(suspects)
    except PipelineError as found:
        return PipelineError(f"{found}\nThe build had failed already: {error}")
    return error


def following(batches: Sequence[Manifest], within: str = "") -> str:
    """Selects what depends on the tables of some batches, since nothing else can have changed.

    `within` narrows it down further. The tables' names are those of `ingest.schema`.
    """
    tables = sorted({table for manifest in batches for table in manifest.tables})
    return " ".join(f"source:raw.{table}+{within and f',{within}'}" for table in tables)


def _build_anew(context: Context, state: State) -> BuildResult:
    try:
        return context.dbt.build(full_refresh=True)
    except PipelineError as error:
        if state.last_build is None:
            raise
        raise PipelineError(
            f"{error}\nThe dbt project has changed since the last build. Where history is what fails, it was made by the "
            f"old one: `nox -s dev -- --rebuild` makes it again from the landed batches."
        ) from None


def _history(context: Context, manifest: Manifest, current: bool) -> None:
    with context.step(f"history {manifest.batch_id}"):
        context.dbt.build(select=following([manifest], HISTORY) if current else HISTORY)
