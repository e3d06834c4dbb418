"""What a change of the dbt project does to the data: two builds from the same batches, compared by key."""

from __future__ import annotations

import shutil
from contextlib import ExitStack

from ingest.batches.committed import datasets
from ingest.settings import Settings
from ingest.store.embedded import object_store
from pipeline.dbt import PROJECT
from pipeline.diff.build import build_anew, build_head, extracted
from pipeline.diff.compare import compare
from pipeline.diff.report import UNCHANGED, Diff, diff, keys, relation_names
from pipeline.report import Report
from pipeline.target import give_access
from profiles.errors import PipelineError


def run(base: str, dataset: str | None, settings: Settings, report: Report) -> Diff:
    """Builds and compares; the findings are printed, and written to `data/diff/diff.md` and `diff.html`."""
    folder = settings.data_dir / "diff"
    project = extracted(base, folder / "project")
    with ExitStack() as opened:
        with report.step("object store"):
            store = opened.enter_context(object_store(settings, embedded=True))
        give_access(store)
        landed = [dataset] if dataset else datasets(store)
        if len(landed) != 1:
            several = f"several data sets are landed ({', '.join(landed)}): name one"
            raise PipelineError(several if landed else "Nothing has been landed yet: `nox -s dev` lands the sample.")
        before = build_anew(project, folder / "base", store, landed[0], report)
        after, differing = build_head(PROJECT, before, folder / "head", store, landed[0], report)
    with report.step("compare"):
        known = keys(after)
        for name, more in keys(before).items():
            known.setdefault(name, []).extend(more)
        relations = compare(before.file, after.file, (relation_names(before), relation_names(after)), known)
    found = diff(base, before, after, differing, relations)
    (folder / "diff.md").write_text(found.markdown(), encoding="utf-8")
    (folder / "diff.html").write_text(found.html(), encoding="utf-8")
    shutil.rmtree(folder / "project", ignore_errors=True)
    tell(found, report)
    report.say(f"written to {folder / 'diff.md'} and {folder / 'diff.html'}")
    return found


def tell(found: Diff, report: Report) -> None:
    """The findings on the terminal."""
    for name, downstream in found.nodes.items():
        report.say(f"{name} differs" + (f"; downstream: {', '.join(downstream)}" if downstream else ""))
    for what, names in found.tests.items():
        report.say(f"tests {what}: {', '.join(names)}")
    if not found.changed:
        report.say(UNCHANGED, "green")
    for relation in found.changed:
        counts = (
            f"{relation.rows_added:,} rows added, {relation.rows_removed:,} removed, {relation.rows_changed:,} changed"
        )
        report.say(
            f"{relation.name}: {relation.status}" + (f", {counts}" if relation.status == "changed" else ""), "yellow"
        )
        for text in relation.columns_added:
            report.say(f"  column added: {text}")
        for text in relation.columns_removed:
            report.say(f"  column removed: {text}")
        for text in relation.types_changed:
            report.say(f"  type of {text}")
        for text in relation.added:
            report.say(f"  row added: {text}")
        for text in relation.removed:
            report.say(f"  row removed: {text}")
        for column in relation.columns:
            report.say(f"  {column.name} differs in {column.rows:,} rows")
            for key, one, other in column.examples:
                report.say(f"    {key}: {one} → {other}")
