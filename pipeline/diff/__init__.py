"""What a change of the dbt project does to the data: two builds from the same batches, compared by key."""

from __future__ import annotations

import shutil

from rich.markdown import Markdown

from ingest.settings import Settings
from ingest.store.embedded import object_store
from pipeline.apply import only_dataset
from pipeline.dbt import PROJECT
from pipeline.diff.build import build_anew, build_head, extracted
from pipeline.diff.compare import compare
from pipeline.diff.findings import Diff, diff, keys
from pipeline.report import Report
from pipeline.target import give_access, only_writer, refuse_prefix


def run(base: str, dataset: str | None, settings: Settings, report: Report) -> Diff:
    """Builds and compares; the findings are printed, and written to `data/diff/diff.md` and `diff.html`."""
    refuse_prefix()
    folder = settings.data_dir / "diff"
    with only_writer(settings, "diff", str(folder)):
        project = extracted(base, folder / "project")
        with object_store(settings, embedded=True) as store:
            give_access(store)
            dataset = dataset or only_dataset(store)
            before = build_anew(project, folder / "base", store, dataset, report)
            after, differing = build_head(PROJECT, before, folder / "head", store, dataset, report)
        with report.step("compare"):
            built = set(before.relations.values()), set(after.relations.values())
            limits = {"memory_limit": settings.memory_limit, "temp_directory": str(folder / "spilled")}
            relations = compare(before.file, after.file, built, keys(after, before), limits)
        found = diff(base, before, after, differing, relations)
        (folder / "diff.md").write_text(found.markdown(), encoding="utf-8")
        (folder / "diff.html").write_text(found.html(), encoding="utf-8")
        shutil.rmtree(folder / "project", ignore_errors=True)
    report.console.print(Markdown(found.markdown()))
    report.say(f"written to {folder / 'diff.md'} and {folder / 'diff.html'}")
    return found
