"""A job with one day applied, made once and copied for each fault; and how much of the suite is to be run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.job import Job, World

FULL = os.environ.get("MOVIELENS_FAULTS") == "full"
SIZE = ("--ratings", "1000")
DAY_1, DAY_2 = ("dev", *SIZE, "--day", "1"), ("dev", *SIZE, "--day", "2")


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
def day_1(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Day 1 of a tiny sample, landed and applied; to be copied, never changed."""
    job = Job(tmp_path_factory.mktemp("faults") / "day-1")
    job.succeeds(*DAY_1)
    return job


@pytest.fixture
def job(day_1: Job, tmp_path: Path) -> Iterator[Job]:
    """A copy of day 1 to do damage to."""
    copied = day_1.copy(tmp_path / "data")
    yield copied
    end(copied)


def end(job: Job) -> None:
    """Ends the store of a job, should a fault have left it behind."""
    import contextlib
    import signal

    for pid in job.store_pids():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
