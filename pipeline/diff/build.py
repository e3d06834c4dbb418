"""Builds the dbt project of a git ref and that of the working tree from the same landed batches, on DuckDB."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from ingest.store.bucket import Store
from pipeline.apply import HISTORY, Context, apply
from pipeline.dbt import BUILT, ROOT, Dbt
from pipeline.report import Report
from pipeline.warehouse import State, duckdb_warehouse
from profiles.environment import also
from profiles.errors import PipelineError
from profiles.warehouse_file import WarehouseFile, copy_file


@dataclass(frozen=True)
class Side:
    """One of the two projects: its folder, its warehouse file, and dbt's manifest of it."""

    project: Path
    file: Path
    manifest: dict[str, Any]

    @property
    def relations(self) -> dict[str, str]:
        """What the project builds, as `schema.name` by dbt's id."""
        nodes = self.manifest["nodes"].items()
        return {name: f"{node['schema']}.{node['alias']}" for name, node in nodes if node["resource_type"] in BUILT}


def extracted(ref: str, folder: Path) -> Path:
    """The dbt project of a git ref, in a folder; raises `PipelineError` for no such ref or one of before `ops.runs`."""
    command = ["git", "-C", str(ROOT), "archive", "--format=tar", "--end-of-options", ref, "transform"]
    archive = subprocess.run(command, capture_output=True, check=False)
    if archive.returncode:
        reason = archive.stderr.decode(errors="replace").strip().splitlines()
        raise PipelineError(
            f"{ref!r} is not a git ref with a dbt project: {reason[-1] if reason else 'git gave no reason'}. Name another "
            f"one with --base."
        )
    shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(folder, filter="data")
    project = folder / "transform"
    sources = project / "models" / "staging" / "__sources.yml"
    if not sources.is_file() or "name: run_nodes" not in sources.read_text(encoding="utf-8"):
        raise PipelineError(f"{ref!r} is older than the records of runs: this version cannot build its project.")
    return project


@contextmanager
def project_of(project: Path, file: WarehouseFile, report: Report) -> Iterator[Dbt]:
    """Dbt on a project and on the copy of a warehouse file, without data tests."""
    with file.worked_on(), also(DBT_PROJECT_DIR=str(project), DBT_TARGET_PATH=str(file.published.parent / "dbt")):
        yield Dbt("dev", report.node, tests=False)


def build_head(
    project: Path, base: Side, folder: Path, store: Store, dataset: str, report: Report
) -> tuple[Side, set[str]]:
    """Builds a project that is compared with `base`; also the nodes that differ.

    Where it cannot touch history or the load, only what differs and what depends on it is built, in a copy of the base.
    """
    file = WarehouseFile(folder / base.file.name)
    shutil.rmtree(folder, ignore_errors=True)
    with project_of(project, file, report) as dbt:
        copy_file(base.file, file.copy)
        head = Side(project, file.copy, dbt.manifest())
        changed = set(dbt.listed("state:modified", state=base.file.parent / "dbt" / "dev"))
        nodes = changed & head.relations.keys()
        if nodes & set(dbt.listed(HISTORY)) or _at_large(base.project) != _at_large(project):
            return build_anew(project, folder, store, dataset, report), changed
        if nodes:
            with report.step("build what differs"):
                names = (f"{head.manifest['nodes'][name]['name']}+" for name in sorted(nodes))
                dbt.build(select=" ".join(names), full_refresh=True)
    return head, changed


def _at_large(project: Path) -> dict[str, bytes]:
    """What makes raw and history, and what acts on models that dbt does not list as modified: its files.

    dbt's list knows no variables, and no macro that a model does not call itself, such as those of the load.
    """
    patterns = ("dbt_project.yml", "macros/**/*.sql", "snapshots/*", "models/staging/__sources.yml")
    files = filter(Path.is_file, chain.from_iterable(map(project.glob, patterns)))
    return {path.relative_to(project).as_posix(): path.read_bytes() for path in files}


def build_anew(project: Path, folder: Path, store: Store, dataset: str, report: Report) -> Side:
    """Builds a project from all landed batches."""
    file = WarehouseFile(folder / "warehouse.duckdb")
    file.published.unlink(missing_ok=True)
    with project_of(project, file, report) as dbt:
        published, copy = duckdb_warehouse(file.published, read_only=True), duckdb_warehouse(file.copy)
        context = Context(store, published, copy, file, dbt, report)
        apply(context, dataset, replaced=State())
        return Side(project, file.published, dbt.manifest())
