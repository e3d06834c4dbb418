"""A job with one day applied, made once and copied for each fault; and how much of the suite is to be run."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import Shared
from tests.faults.job import Job, Victims, World, ticks_of, wait_until

FULL = os.environ.get("MOVIELENS_FAULTS") == "full"
SIZE = ("--ratings", "1000")
DAY_1, DAY_2 = ("dev", *SIZE, "--day", "1"), ("dev", *SIZE, "--day", "2")

COMMANDS: dict[str, tuple[str, ...]] = {
    "the second day": DAY_2,
    "two days at once": DAY_2,
    "a replay": ("replay", *SIZE, "--batches", "2"),
    "a rebuild": ("dev", "--rebuild"),
}


@dataclass(frozen=True)
class Undisturbed:
    """A job before a command, the ticks and seconds of the command when nothing disturbs it, and its result."""

    before: Job
    command: tuple[str, ...]
    ticks: list[str]
    seconds: float
    world: World


@pytest.fixture
def anew(tmp_path: Path) -> Iterator[Job]:
    """An empty data folder; what a test has started there is ended with it."""
    job = Job(tmp_path / "data")
    yield job
    end(job)


@pytest.fixture(scope="session")
def day_1(shared: Shared, parsed: Path) -> Job:
    """Day 1 of a tiny sample, landed and applied; to be copied, never changed."""

    def make(folder: Path) -> None:
        shutil.copytree(parsed, folder / "work")
        Job(folder).inside(*DAY_1)
        wait_until(lambda: not Job(folder).store_pids())

    return Job(shared("day 1", make))


@pytest.fixture(scope="session")
def day_2(day_1: Job, tmp_path_factory: pytest.TempPathFactory) -> World:
    """What the second day leaves behind when nothing disturbs it."""
    job = day_1.copy(tmp_path_factory.mktemp("day-2") / "data")
    job.inside(*DAY_2)
    return job.world()


@pytest.fixture(scope="session")
def undisturbed(day_1: Job, parsed: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Undisturbed]:
    """Each command, run once in peace."""

    def start_of(name: str, folder: Path) -> Job:
        if name == "the second day":
            return day_1.copy(folder)
        if name == "a rebuild":
            return run("the second day")[1].copy(folder)
        shutil.copytree(parsed, folder / "work")
        return Job(folder)

    @cache
    def run(name: str) -> tuple[Undisturbed, Job]:
        folder = tmp_path_factory.mktemp("undisturbed")
        before = start_of(name, folder / "before")
        after = before.copy(folder / "after")
        ticking(after, folder / "ticks")
        started = time.monotonic()
        done = after.run(*COMMANDS[name], module="tests.faults.ticking")
        assert done.returncode == 0, done.stdout
        seconds = time.monotonic() - started
        return Undisturbed(before, COMMANDS[name], ticks_of(folder / "ticks"), seconds, after.world()), after

    return lambda name: run(name)[0]


def ticking(job: Job, ticks: Path, kill_at: str = "", victims: Victims = "main") -> None:
    """Sets a job's clock."""
    job.environment |= {"TICKS": str(ticks), "KILL_AT": kill_at, "KILL": victims}


@pytest.fixture
def job(day_1: Job, tmp_path: Path) -> Iterator[Job]:
    """A copy of day 1 to do damage to."""
    copied = day_1.copy(tmp_path / "data")
    yield copied
    end(copied)


def end(job: Job) -> None:
    """Ends the store of a job, should a fault have left it behind."""
    for pid in job.store_pids():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
