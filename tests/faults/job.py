"""The whole job in processes of its own, in a folder of its own; and what it has left behind when it is done."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from unittest import mock

import psutil

from ingest.store.bucket import Store
from ingest.store.embedded import object_store
from pipeline.fingerprints import Fingerprint, fingerprints
from pipeline.warehouse import duckdb_warehouse
from tests.conftest import REPO, settings_in
from tests.pipeline.harness import quickly

Victims = Literal["main", "group", "all"]
"""The main process; its process group, the expectations' worker included; or the embedded store as well."""

SECONDS = 180  # of one run, on a busy machine
_LEDGER = "select * exclude (loaded_at) from raw.load_ledger order by all"
_OWN = ("MOVIELENS_", "AWS_", "S3_", "DBT_")


@dataclass(frozen=True)
class World:
    """What must be the same in the end: every object, the ledger, and a checksum of every relation."""

    objects: dict[str, tuple[int, str]]
    ledger: list[tuple[Any, ...]] = field(default_factory=list)
    relations: dict[str, Fingerprint] = field(default_factory=dict)


class Job:
    """A data folder and the processes that work in it; `environment` is added to theirs."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.data, self.settings = data, settings_in(data)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)} | {
            "MOVIELENS_DATA_DIR": str(data),
            "PYTHONPATH": str(REPO),
            **environment,
        }

    def copy(self, data: Path, **environment: str) -> Job:
        """The same job in a copy of the folder, whose store must not run."""
        wait_until(lambda: not self.store_pids())
        shutil.copytree(self.data, data, ignore=shutil.ignore_patterns("*.sock"))
        return Job(data, **environment)

    def start(self, *arguments: str, module: str = "pipeline") -> subprocess.Popen[str]:
        """Starts `python -m pipeline …` as the leader of a process group."""
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=REPO,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, module: str = "pipeline") -> subprocess.CompletedProcess[str]:
        """Runs `python -m pipeline …` to its end; the output holds both streams."""
        process = self.start(*arguments, module=module)
        try:
            output, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self.kill(process, "all")
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, output)

    def succeeds(self, *arguments: str) -> str:
        """Runs to a good end; the output."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def inside(self, *arguments: str) -> str:
        """Runs to a good end in this process, without tests and gate; the output."""
        with mock.patch.dict(os.environ, self.environment, clear=True):
            done = quickly(*arguments)
        assert done.exit_code == 0, done.output
        return done.output

    def fails(self, *arguments: str) -> str:
        """Runs to one clear error, never a traceback; the output on one line."""
        done = self.run(*arguments)
        assert done.returncode == 1, done.stdout
        assert "Traceback" not in done.stdout, done.stdout
        assert done.stdout.count("error:") == 1, done.stdout
        return " ".join(done.stdout.split())

    def store_pids(self) -> list[int]:
        """The embedded store of this folder and its supervisor."""
        folders = {str(self.settings.s3_dir), str(self.settings.s3_dir.with_name("s3-run"))}
        return [process.pid for process in psutil.process_iter(["cwd"]) if process.info["cwd"] in folders]

    def kill(self, process: subprocess.Popen[str], victims: Victims) -> None:
        """SIGKILL, to no other process than the job's own."""
        kill(process.pid, self.store_pids() if victims == "all" else [], victims)
        process.communicate()

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The embedded store of the folder."""
        with object_store(self.settings, embedded=True) as store:
            yield store

    def objects(self) -> dict[str, tuple[int, str]]:
        """Every object with its size and digest; locks are no content."""
        with self.store() as store:
            content = {found.key: store.get(found.key) or b"" for found in store.list()}
        return {
            key: (len(body), hashlib.sha256(body).hexdigest())
            for key, body in content.items()
            if not key.endswith(".lock")
        }

    def world(self) -> World:
        """What the job has left behind."""
        warehouse = duckdb_warehouse(self.settings.warehouse, read_only=True)
        return World(self.objects(), warehouse.rows(_LEDGER), fingerprints(warehouse))


def kill(leader: int, store: list[int], victims: Victims) -> None:
    """SIGKILL to the store first, then to a process or the group that it leads."""
    for pid in store:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        (os.kill if victims == "main" else os.killpg)(leader, signal.SIGKILL)


def wait_until(condition: Any, seconds: float = 30) -> None:
    """Waits for a condition that comes true soon."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def ticks_of(path: Path) -> list[str]:
    """The ticks that `tests.faults.ticking` wrote down."""
    return [json.loads(line) for line in path.read_text().splitlines()]
