"""What each run leaves behind: always a record in `data/runs/`, and a row in `ops.runs` where it published."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.dbt import ROOT, TESTS, Node, project_version
from profiles.environment import without_secrets

CLOCK_SECONDS = 5  # by which a system's clocks may differ


def git_commit() -> str:
    """The commit of the project, '' where it is no clone."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        command = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
    return ""


@dataclass
class Run:
    """One run of a job, or one publication of several: what it did and found, how long it took, and how it ended.

    `outcome`: running, published, nothing new, done, failed or stopped. One that is still running though its process
    is gone was killed.
    """

    job: str = ""
    target: str = ""
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    outcome: str = "running"
    error: str = ""
    stale: str = ""
    seconds: float = 0.0
    batches: list[str] = field(default_factory=list)
    rows_loaded: int = 0
    steps: list[tuple[str, float]] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    project_version: str = field(default_factory=project_version)
    git_commit: str = field(default_factory=git_commit)
    process: int = field(default_factory=os.getpid)

    def __post_init__(self) -> None:
        """Starts the clock."""
        self.id = f"{self.started_at:%Y%m%dT%H%M%S.%fZ}-{self.process}"
        self._began = time.monotonic()

    @property
    def tests(self) -> int:
        """The tests that passed or warned."""
        return sum(node.kind in TESTS and node.status in {"pass", "warn"} for node in self.nodes)

    def elapsed(self) -> float:
        """Seconds since it started."""
        return round(time.monotonic() - self._began, 3)

    def path(self, folder: Path) -> Path:
        """The record's file."""
        return folder / f"{self.id}.json"

    def write(self, folder: Path) -> None:
        """Writes the record; a full disk is no reason to fail."""
        path = self.path(folder)
        content = asdict(self) | {"id": self.id, "started_at": self.started_at.isoformat(), "tests": self.tests}
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
            part.replace(path)


@contextmanager
def recorded(run: Run, folder: Path) -> Iterator[None]:
    """Records a run from its start to its end, however it ends."""
    run.write(folder)
    try:
        yield
        run.outcome = "done" if run.outcome == "running" else run.outcome
    except KeyboardInterrupt:
        run.outcome = "stopped"
        raise
    except BaseException as error:
        run.outcome, run.error = "failed", without_secrets(str(error)) or type(error).__name__
        raise
    finally:
        run.seconds = run.elapsed()
        run.write(folder)


def read(folder: Path) -> list[dict[str, Any]]:
    """The records of a folder, the newest first; one that was killed while it ran says so."""
    records = []
    for path in sorted(folder.glob("*.json"), reverse=True):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # any other file
            record = json.loads(path.read_text(encoding="utf-8"))
            if record["outcome"] == "running" and not _alive(record):
                record["outcome"] = "killed"
            records.append(record)
    return records


def _alive(record: dict[str, Any]) -> bool:
    """Whether the process of a run is there still, and not a later one that was given its number."""
    import psutil  # seldom needed

    try:
        began: float = psutil.Process(record["process"]).create_time()
    except psutil.Error:
        return False
    return began < datetime.fromisoformat(record["started_at"]).timestamp() + CLOCK_SECONDS


def slowest(records: list[dict[str, Any]], shown: int = 15) -> list[dict[str, Any]]:
    """The nodes that take longest in the newest run that built any, with what they took at the median before it."""
    built = [record for record in records if record["nodes"]]
    if not built:
        return []
    before: dict[str, list[float]] = {}
    for record in built[1:]:
        for node in record["nodes"]:
            before.setdefault(node["name"], []).append(node["seconds"])
    nodes = sorted(built[0]["nodes"], key=lambda node: -node["seconds"])[:shown]
    return [
        {**node, "before": statistics.median(before[node["name"]]) if node["name"] in before else None}
        for node in nodes
    ]
