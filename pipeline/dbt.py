"""dbt in this process: start-up is paid once, output is quiet, and a failure becomes one message."""

from __future__ import annotations

import atexit
import gc
import hashlib
import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.verdict import as_text
from ingest.manifest import Manifest
from profiles import engine, snowflake
from profiles.environment import also
from profiles.errors import PipelineError

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunner, dbtRunnerResult

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "transform"
# dbt's kinds of nodes, and its words for one that went wrong.
BUILT = {"model", "snapshot", "seed"}
TESTS = {"test", "unit_test"}
FAILED = {"error", "fail", "runtime error"}
# dbt's adapters are the process's: a command that begins forgets a running one's, whose connections stay open then.
_ONE_AT_A_TIME = threading.Lock()


def project_version() -> str:
    """A digest of everything in the dbt project that a mart depends on, and one of the suites that judge it."""
    return f"{_digest(PROJECT)}-{_digest(ROOT / 'expectations' / 'suites')}"


def same_models(version: str, other: str) -> bool:
    """Whether two versions of the project build the same; they may be judged by other suites."""
    return version.partition("-")[0] == other.partition("-")[0]


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.suffix in {".sql", ".yml", ".csv"} and relative.parts[0] not in {"target", "logs", "analyses"}:
            digest.update(f"{relative.as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Node:
    """What became of a model, snapshot, seed or test; `rows` where the engine says how many it wrote."""

    name: str
    kind: str
    status: str
    seconds: float
    rows: int | None


class Dbt:
    """The project on one target.

    Parameters: `target`, an output of profiles.yml; `on_node`, gets the name of each node that is done; `on_end`,
    gets all nodes of a command with what became of them; `tests`, whether a build tests what it builds.
    """

    def __init__(
        self,
        target: str,
        on_node: Callable[[str], None] = lambda _: None,
        on_end: Callable[[list[Node]], None] = lambda _: None,
        *,
        tests: bool = True,
    ) -> None:
        self.target, self._on_node, self._on_end, self._tests = target, on_node, on_end, tests
        # What dbt has parsed for one target, or for schemas of one prefix, is of no use to another.
        prefix = os.environ.get("MOVIELENS_SCHEMA_PREFIX", "")
        self._target_path = Path(os.environ["DBT_TARGET_PATH"], target, prefix)
        self._runner: dbtRunner | None = None
        self._project: Any = None  # dbt's manifest: read once, and not by every command anew
        self._preparing: threading.Thread | None = None

    def prepare(self) -> None:
        """Begins to import dbt and to read the project in the background, for a run that will hardly do without.

        It takes 2 to 3 s, which the start of the store and landing can hide.
        """
        self._preparing = threading.Thread(target=self._parse, name="reads the dbt project", daemon=True)
        self._preparing.start()

    def wait(self) -> None:
        """Waits for what was begun in the background: Python aborts where it stops a thread that is in native code."""
        if self._preparing:
            self._preparing.join()

    def load(self, manifest: Manifest, bucket: str) -> None:
        """Loads one committed batch into raw, in one transaction."""
        snowflake.tag(manifest.batch_id)
        arguments = manifest.model_dump(mode="json", exclude={"source"}) | {"sha256": manifest.digest}
        for name, instant in (("as_of", manifest.as_of), ("loaded_at", datetime.now(UTC))):
            arguments[name] = f"{instant:%Y-%m-%d %H:%M:%S.%f}"
        self._invoke(
            "run-operation",
            "load_batch",
            "--args",
            json.dumps({"manifest": arguments, "bucket": bucket}),
            "--no-write-json",
            doing=f"loading batch {manifest.batch_id}",
        )

    def build(self, *, select: str | None = None, full_refresh: bool = False, defer_to: Path | None = None) -> None:
        """Builds and tests the project, or the part of it that `select` names.

        `defer_to` is a folder with the manifest of a build that the rest is read from. Unit tests are of the project,
        not of the data: a build of new data alone goes without.
        """
        command = ["build"]
        if select:
            command += ["--select", *select.split(), "--indirect-selection", "buildable"]
        if full_refresh:
            command += ["--full-refresh"]
        if defer_to:
            command += ["--defer", "--state", str(defer_to)]
        if not self._tests:
            command += ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
        elif not (full_refresh or defer_to):
            command += ["--exclude-resource-type", "unit_test"]
        if not full_refresh:
            command += ["--no-write-json"]  # a twentieth of a small build
        results = self._invoke(*command, doing="building the marts")
        if self._tests:
            self._all_tested(results)

    def prepare_raw(self) -> None:
        """Makes the raw tables, without a row."""
        self._invoke("run-operation", "prepare_raw", "--no-write-json", doing="making the raw tables")

    def make_views(self) -> None:
        """Makes the staging views, without a test."""
        self._invoke("run", "--select", "path:models/staging", "--no-write-json", doing="making the staging views")

    def manifest(self) -> dict[str, Any]:
        """What dbt knows of the project, as it writes it down."""
        self._project = self._runner = None  # a project that is read already is not written
        self._parse("parse")
        if self._project is None:
            self._invoke("parse", doing="reading the project")
        content: dict[str, Any] = json.loads((self._target_path / "manifest.json").read_text(encoding="utf-8"))
        return content

    def listed(self, select: str, *, state: Path | None = None) -> list[str]:
        """The ids of the nodes that a selection names; `state` is a folder with the manifest to compare with."""
        command = ["ls", "--select", select, "--output", "json", "--output-keys", "unique_id", "--no-write-json"]
        answer = self._answer(*command, *(["--state", str(state)] if state else []))
        _check_stopped(answer)
        if not answer.success:
            raise PipelineError(f"listing {select} failed: {answer.exception}")
        lines: Any = answer.result
        return [json.loads(line)["unique_id"] for line in lines or []]

    def measure(self) -> None:
        """Builds the profiles of the batches that have none, and nothing else."""
        self._invoke("run", "--select", "path:models/quality", doing="measuring the batches")

    def drop_expired_schemas(self) -> None:
        """Drops the schemas that earlier pull requests built into, some days after."""
        self._invoke("run-operation", "drop_expired_schemas", "--no-write-json", doing="dropping expired schemas")

    def docs(self, folder: Path) -> None:
        """Writes dbt's documentation to a folder."""
        self._invoke("docs", "generate", "--target-path", str(folder), doing="documenting the project")

    def _all_tested(self, results: list[Any]) -> None:
        """Raises `PipelineError` where something was built and its tests were not run: less would look like all."""
        ran = {node.node.unique_id for node in results}
        for test in (node for node in self._project.nodes.values() if node.resource_type == "test"):
            parents = {parent for parent in test.depends_on.nodes if not parent.startswith("source.")}
            if parents and parents <= ran and test.unique_id not in ran:
                raise PipelineError(f"{test.name} did not run, though what it tests was built. Nothing is published.")

    def _invoke(self, *arguments: str, doing: str) -> list[Any]:
        self.wait()
        if self._project is None:
            self._parse()
        answer = self._answer(*arguments)
        results = list(getattr(answer.result, "results", None) or [])
        self._on_end([_node(result) for result in results if hasattr(result, "node")])
        _check_stopped(answer)
        if any("Query interrupted" in str(node.message) for node in results):  # which is DuckDB's word for Ctrl-C
            raise KeyboardInterrupt
        if not answer.success:
            raise PipelineError(self._explain(doing, answer.exception, results))
        return results

    def _explain(self, doing: str, exception: BaseException | None, results: list[Any]) -> str:
        says = engine(self.target).explain
        failed = [node for node in results if str(node.status) in FAILED]
        skipped = sum(str(node.status) == "skipped" for node in results)
        if not failed:
            return f"{doing} failed: {says(exception or 'dbt gave no reason')}"
        lines = [f"{doing} failed ({len(failed)} failed, {skipped} skipped behind them):"]
        for node in failed[:10]:
            message = " ".join(str(node.message or "").split())
            if not hasattr(node, "node"):  # a macro that was run, not a model
                return f"{doing} failed: {says(message or exception)}"
            lines.append(f"  {getattr(node.node, 'original_file_path', '')} {node.node.name}: {says(message[:1000])}")
            if node.status == "fail" and node.node.resource_type == "test":
                lines += [f"    {row}" for row in self._rows(node.node)]
            if compiled := getattr(node.node, "compiled_path", None):
                lines.append(f"    its SQL: {PROJECT / compiled}")
        return "\n".join(lines)

    def _rows(self, test: Any) -> list[str]:
        """The first rows that a data test has found."""
        shown = self._answer("show", "--select", test.unique_id.split(".")[2], "--limit", "3", "--no-write-json")
        tables = [result.agate_table for result in getattr(shown.result, "results", None) or ()]
        return [as_text(dict(row)) for table in tables if table is not None for row in table.rows]

    def _answer(self, *arguments: str) -> dbtRunnerResult:
        if self._runner is None:
            # dbt keeps most of what it makes: looking for garbage as often as Python does takes a tenth of a build, and
            # once more at the end 0.7 s. DuckDB 2, beside Snowflake, would list all that is left.
            gc.set_threshold(100_000, 50, 100)
            if engine(self.target).is_local:
                atexit.register(gc.freeze)
            from dbt.cli.main import dbtRunner  # 2 s of imports, put off until a batch is to be loaded

            self._runner = dbtRunner(self._project, callbacks=[self._hear])
        options = ["--quiet", "--log-level", "none", "--no-version-check", "--target", self.target]
        tag = "" if arguments[0] == "parse" else os.environ.get(snowflake.TAG, "")
        with _ONE_AT_A_TIME, also(DBT_TARGET_PATH=str(self._target_path), MOVIELENS_DBT_QUERY_TAG=tag):
            try:
                return self._runner.invoke([*arguments, *options])
            finally:
                _close_file()

    def _parse(self, *command: str) -> None:
        answer = self._answer(*(command or ("parse", "--no-write-json")))
        _check_stopped(answer)
        if answer.success:  # else the next command says what is wrong with the project
            self._project, self._runner = answer.result, None

    def _hear(self, event: Any) -> None:
        if event.info.name == "NodeFinished":
            self._on_node(event.data.node_info.node_name)


def _check_stopped(answer: dbtRunnerResult) -> None:
    """Raises the KeyboardInterrupt that dbt has caught, as it does any error."""
    if isinstance(answer.exception, KeyboardInterrupt):
        raise KeyboardInterrupt


def _close_file() -> None:
    """Closes the DuckDB file, which dbt would keep open, so that the gate's process can read it."""
    from dbt.adapters.factory import FACTORY

    for adapter in FACTORY.adapters.values():
        if close := getattr(adapter.ConnectionManager, "close_all_connections", None):
            close()


def _node(result: Any) -> Node:
    rows = (result.adapter_response or {}).get("rows_affected")
    kind, status = str(result.node.resource_type), str(result.status)
    return Node(result.node.name, kind, status, round(result.execution_time, 3), rows)
