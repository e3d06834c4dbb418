"""Applies every landed batch that waits to a copy of the warehouse, and publishes it once it has been judged.

Copy, then for each batch load and history, then build, gate, publish. Whatever fails or is killed before
the last step leaves what is published as it was, and the next run begins with a new copy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from expectations.gate import Gate
from ingest.batches.committed import accepted_ids, committed, committed_ids, datasets, verify, withdrawn
from ingest.batches.lock import Lock
from ingest.batches.withdrawal import accept
from ingest.manifest import BATCH_ID, Manifest
from ingest.store.bucket import Store
from pipeline.dbt import Dbt, project_version, same_models
from pipeline.report import Report
from pipeline.warehouse import Build, State, Warehouse
from profiles.errors import PipelineError
from profiles.warehouse_file import WarehouseFile
from profiles.warehouse_schemas import WarehouseSchemas

# What history needs of a batch that is not the last one waiting: the snapshots and what they are made of.
HISTORY = "+path:snapshots"
# What every batch adds to: the counts of what it changed, and the ledger, whose tests are on raw itself.
EVERY_BATCH = "int_batch_changes path:tests/raw"


@dataclass(frozen=True)
class Context:
    """What a run needs: where batches are, where they go, who builds, who judges, and who reports.

    `warehouse` is what is published and only read, `copy` the one that is worked on, `publication` what makes the copy
    and puts it in place, `lock` what keeps runs of other machines out. Batches that are `accepted` stop nothing;
    without a gate, as in a diff, nothing is judged.
    """

    store: Store
    warehouse: Warehouse
    copy: Warehouse
    publication: WarehouseFile | WarehouseSchemas
    dbt: Dbt
    report: Report
    gate: Gate | None = None
    lock: Lock | None = None
    accepted: Sequence[str] = ()


def check_dataset(state: State, warehouse: Warehouse, dataset: str) -> None:
    """Refuses a second data set: one warehouse holds one."""
    if state.dataset not in (None, dataset):
        raise PipelineError(
            f"{warehouse.name} holds the data set {state.dataset}, not {dataset}: one warehouse holds one data set. "
            f"Set MOVIELENS_DATA_DIR to another folder for {dataset}, or delete the warehouse."
        )


def only_dataset(store: Store) -> str:
    """The data set of a store that holds one; raises `PipelineError` where there is none, or which one is not clear."""
    landed = datasets(store) or [name for name in store.folders() if committed_ids(store, name)]
    if not landed:
        raise PipelineError("Nothing has been landed yet: run `nox -s dev` without --no-land.")
    if len(landed) > 1:
        raise PipelineError(f"Several data sets are landed ({', '.join(landed)}): name one, as in `-- {landed[0]}`.")
    return landed[0]


def committed_batches(store: Store, state: State, dataset: str, gone: set[str]) -> list[Manifest]:
    """The committed batches of a data set that count, in commit order; those in `gone` were withdrawn.

    Raises `PipelineError` when a batch is gone that others were landed after, or that the warehouse has loaded, and
    when one is not what the warehouse has loaded under its id.
    """
    manifests = committed(store, dataset)
    ids = {manifest.batch_id for manifest in manifests} | gone
    if lost := {f"{number:06d}" for number in range(1, len(ids) + 1)}.union(state.loaded) - ids:
        raise PipelineError(
            f"{store.address(f'{dataset}/{min(lost)}/manifest.json')} is missing: it was deleted after its commit, or "
            f"this is not the store that the warehouse was loaded from. Without it history cannot be replayed."
        )
    if other := [m for m in manifests if state.loaded.get(m.batch_id, m.digest) != m.digest]:
        raise PipelineError(
            f"{store.address(other[0].key)} is another batch than the warehouse has loaded as {other[0].batch_id}: this is "
            f"not the store that it was loaded from. Go back to that one. For a warehouse of this store, set "
            f"MOVIELENS_DATA_DIR to another folder or delete the file; on Snowflake, set SNOWFLAKE_DATABASE to another one."
        )
    if not manifests and not gone:
        raise PipelineError(
            f"Nothing of {dataset} has been landed yet: `nox -s dev` lands the generated sample, "
            f"`nox -s dev -- ml-latest-small` a release."
        )
    return manifests


def apply(
    context: Context, dataset: str, *, replaced: State | None = None, compare: Callable[[], None] | None = None
) -> list[Manifest] | None:
    """Brings the marts to the newest committed batch of a data set; returns what they took in, None if nothing waited.

    `replaced`: all is rebuilt, in the place of a warehouse whose batches must still be there. `compare` may object,
    by `PipelineError`, to what was built. Raises `PipelineError`; what is published is then as it was.
    """
    report = context.report
    if replaced is None:
        context.publication.check()
    published = context.warehouse.state() if replaced is None else State()
    check_dataset(published, context.warehouse, dataset)
    withdrawals = withdrawn(context.store, dataset)
    gone = {record.batch_id for record in withdrawals}
    landed = committed_batches(context.store, replaced or published, dataset, gone)
    if not landed:
        return _emptied(context, replaced or published)
    if wrong := [given for given in context.accepted if not re.fullmatch(BATCH_ID, given)]:
        raise PipelineError(f"--accept {wrong[0]}: a batch's id has six digits, such as {landed[-1].batch_id}.")
    build = Build(landed[-1].batch_id, project_version())
    if published.last_build == build and published.withdrawn == gone:
        report.run.outcome = "nothing new"
        return None
    if context.gate:
        context.gate.prepare()
    # What a batch has done to marts and history is not taken out row by row: without it they are rebuilt, and so
    # are the tables of an earlier version.
    lost = gone & set(published.loaded)
    state = State() if published.outdated or lost else published
    # A batch is judged by what was there before it: those that follow a withdrawn one are judged again.
    judged = [batch_id for batch_id in published.loaded if not lost or batch_id < min(lost)]
    empty = "an earlier version's warehouse is rebuilt" if published.outdated else "a new warehouse"
    with report.step("copy" if state.loaded else empty):
        context.publication.begin(empty=not state.loaded)
    try:
        applied = _bring(context, state, landed, judged)
        if compare:
            compare()
        context.copy.complete(build, withdrawals, report.run, datetime.now(UTC))
        for manifest in landed:
            if manifest.batch_id in context.accepted:  # said before it is published: no replay may miss it
                accept(context.store, dataset, manifest.batch_id)
        with report.step("publish"):
            _publish(context)
    except PipelineError as error:
        still = f"holds batch {published.last_build.batch_id} as before" if published.last_build else "is as it was"
        raise PipelineError(
            f"{error}\n{context.warehouse.name} {still}. What this run made is kept until the next one: {context.copy.name}"
        ) from None
    return applied


def _emptied(context: Context, state: State) -> list[Manifest] | None:
    """Publishes a warehouse without a row, for a data set whose batches are all withdrawn; None if it is there."""
    if not context.warehouse.exists():
        raise PipelineError("Every batch is withdrawn: land another one.")
    if not (state.loaded or state.outdated):
        context.report.run.outcome = "nothing new"
        return None
    with context.report.step("every batch is withdrawn: an empty warehouse"):
        context.publication.begin(empty=True)
        context.dbt.prepare_raw()
        _publish(context)
    return []


def _publish(context: Context) -> None:
    if context.lock:
        context.lock.check()
    context.publication.publish()
    context.report.run.outcome = "published"


def _bring(context: Context, state: State, landed: Sequence[Manifest], judged: Sequence[str]) -> list[Manifest]:
    """Loads, builds and judges in the copy what it does not hold; `judged` batches have passed the gate before."""
    step, run, last = context.report.step, context.report.run, state.last_build
    waiting = [manifest for manifest in landed if manifest.batch_id not in state.loaded]
    applied = [manifest for manifest in landed if last is None or manifest.batch_id > last.batch_id]
    new = [manifest.batch_id for manifest in applied if manifest.batch_id not in judged] or [landed[-1].batch_id]
    current = last is not None and same_models(last.project_version, project_version())
    try:
        for manifest in waiting:
            with step(f"load {manifest.batch_id}"):
                verify(context.store, manifest)
                context.dbt.load(manifest, context.store.bucket)
                run.batches.append(manifest.batch_id)
                run.rows_loaded += sum(table.rows_loaded for table in manifest.tables.values())
            if manifest is not waiting[-1]:
                with step(f"history {manifest.batch_id}"):
                    all_of_it = manifest is waiting[0] and not current
                    context.dbt.build(select=HISTORY if all_of_it else following([manifest], HISTORY))
        with step("build and test"):
            select = f"{following(applied)} {EVERY_BATCH}" if current else None
            context.dbt.build(select=select, full_refresh=not current)
    except PipelineError as error:
        changed = (
            "\nThe dbt project has changed since the last build. Where history is what fails, it was made by the old one: "
            f"`nox -s {run.target} -- --rebuild` makes it again from the landed batches."
        )
        why = f"{error}{changed if last and not current else ''}"
        raise _explained(context, landed[-1].dataset, new, why) from None
    _judge(context, landed[-1].dataset, new)
    return applied


def _explained(context: Context, dataset: str, batches: Sequence[str], error: str) -> PipelineError:
    """An error of a build after what the gate finds in the batches: bad data may break a build before it is judged."""
    loaded = context.copy.state().loaded
    try:
        if suspects := [batch_id for batch_id in batches if batch_id in loaded]:
            context.dbt.measure()
            _judge(context, dataset, suspects, of_batches_alone=True)
    except PipelineError as found:
        return PipelineError(f"{found}\nThe build had failed already: {error}")
    return PipelineError(error)


def _judge(context: Context, dataset: str, batches: Sequence[str], *, of_batches_alone: bool = False) -> None:
    """Asks the gate about batches of a data set and the marts; warnings are shown, errors raise `PipelineError`."""
    if context.gate is None:
        return
    report = context.report
    with report.step("gate"):
        accepted = [*context.accepted, *accepted_ids(context.store, dataset)]
        verdict = context.gate.check(batches, accepted, of_batches_alone=of_batches_alone)
        report.run.findings += map(asdict, verdict.findings)
        for part in verdict.tables():
            report.console.print(part)
        if not verdict.passed:
            batch = verdict.of("error")[-1].batch_id
            on_aws = "MOVIELENS_TARGET=prod " if context.store.endpoint_url is None else ""
            raise PipelineError(
                f"the gate is closed: {verdict.summary()}.\n"
                f"  take batch {batch} back: `{on_aws}nox -s land -- {dataset} --withdraw {batch}`; then land it corrected\n"
                f"  publish it, if it is right after all: run again with --accept {batch}\n"
                f"  show both in history: land a corrected full batch, and run again with --accept {batch}\n"
                f"  change the check in expectations/suites/, if that is what is wrong"
            )


def following(batches: Sequence[Manifest], within: str = "") -> str:
    """Selects what depends on the tables of some batches, since nothing else can have changed.

    `within` narrows it down further. The tables' names are those of `ingest.schema`.
    """
    tables = sorted({table for manifest in batches for table in manifest.tables})
    return " ".join(f"source:raw.{table}+{within and f',{within}'}" for table in tables)
