"""Killed at any moment and run again, the job ends as if nothing had happened.

The bounded form kills at a few points, `MOVIELENS_FAULTS=full` (`nox -s faults`) at more than fifty.
MOVIELENS_FAULTS_SEED deals other points.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from pipeline.fingerprints import differences, fingerprints
from pipeline.warehouse import duckdb_warehouse
from tests.faults.conftest import FULL, Undisturbed, end, ticking
from tests.faults.job import Job, Victims, World

SEED = os.environ.get("MOVIELENS_FAULTS_SEED", "0")
VICTIMS: tuple[Victims, ...] = ("main", "group", "all")
# How often in the full form: at ticks, and at moments between them.
TIMES = {"the second day": (14, 8), "two days at once": (12, 6), "a replay": (6, 4), "a rebuild": (3, 3)}


@pytest.fixture
def check(
    undisturbed: Callable[[str], Undisturbed], tmp_path: Path
) -> Iterator[Callable[[str, Callable[[Undisturbed, Job], str]], None]]:
    """Kills a command in a folder of the test's own, runs it again, and compares with a run in peace."""
    jobs: list[Job] = []

    def checked(name: str, killed: Callable[[Undisturbed, Job], str]) -> None:
        peace = undisturbed(name)
        job = peace.before.copy(tmp_path / "data")
        jobs.append(job)
        before = digest(job)
        point = killed(peace, job)
        if digest(job) != before:
            assert_published(job, peace, point)
        print(f"killed {point}")
        (job.succeeds if FULL else job.inside)(*peace.command)
        assert_same(job.world(), peace.world, point)
        assert left_over(job) == [], point

    yield checked
    for job in jobs:
        end(job)


def assert_same(found: World, wanted: World, point: str) -> None:
    assert found.objects == wanted.objects, f"killed {point}"
    assert found.ledger == wanted.ledger, f"killed {point}"
    assert differences(found.relations, wanted.relations) == {}, f"killed {point}"


def digest(job: Job) -> str:
    """What tells the published file from any other."""
    path = job.settings.warehouse
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def assert_published(job: Job, peace: Undisturbed, point: str) -> None:
    """What a killed run has published is complete: the end of the run, or, in a replay, of one of its batches."""
    warehouse = duckdb_warehouse(job.settings.warehouse, read_only=True)
    state = warehouse.state()
    assert state.last_build, point
    assert state.last_build.batch_id == max(state.loaded), point
    if peace.command[0] != "replay":
        assert differences(fingerprints(warehouse), peace.world.relations) == {}, point


def left_over(job: Job) -> list[str]:
    """Files that a run makes and takes away again."""
    folders = [path for path in (job.data / "landing").glob("*") if path.is_dir()]
    return [str(path) for path in [*folders, *job.data.glob("replay"), *job.data.glob("work/*.duckdb*")]]


def cases(part: int, bounded: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return [(name, number) for name in TIMES for number in range(TIMES[name][part])] if FULL else bounded


@pytest.mark.parametrize(("command", "number"), cases(0, [("the second day", 0), ("the second day", 1)]))
def test_a_kill_at_a_step_is_made_good_by_the_next_run(
    check: Callable[[str, Callable[[Undisturbed, Job], str]], None], tmp_path: Path, command: str, number: int
) -> None:
    def killed(peace: Undisturbed, job: Job) -> str:
        random = Random(f"{SEED} {command} {number}")
        borders = [tick for tick in peace.ticks if not tick.endswith(" is done")]
        within = [tick for tick in peace.ticks if tick.endswith(" is done")] or borders
        # The points are spread over the steps, so that none is left out; some of them fall within a build.
        first = Random(f"{SEED} {command}").randrange(len(borders))
        at = borders[(first + number * len(borders) // TIMES[command][0]) % len(borders)]
        at = random.choice(within) if number % 4 == 1 else at
        victims = VICTIMS[(number + random.randrange(3)) % 3]
        ticking(job, tmp_path / "ticks", at, victims)
        done = job.run(*peace.command, module="tests.faults.ticking")
        assert done.returncode == -signal.SIGKILL, f"{at}: {done.stdout}"
        return f"{at}, {victims}"

    check(command, killed)


@pytest.mark.parametrize(("command", "number"), cases(1, [("the second day", 0)]))
def test_a_kill_at_a_random_moment_is_made_good_by_the_next_run(
    check: Callable[[str, Callable[[Undisturbed, Job], str]], None], command: str, number: int
) -> None:
    def killed(peace: Undisturbed, job: Job) -> str:
        random = Random(f"{SEED} {command} moment {number}")
        share, victims = random.uniform(0.1, 0.95), random.choice(VICTIMS)
        process = job.start(*peace.command)
        try:
            process.wait(share * peace.seconds)
        except subprocess.TimeoutExpired:
            job.kill(process, victims)
        else:  # faster than the run in peace: a run again must do no harm then
            process.communicate()
        return f"after {share:.0%} of {peace.seconds:.0f} s, {victims}"

    check(command, killed)
