"""Readers see a judged warehouse, whole, or the one before it, whatever happens in between."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from expectations.verdict import Verdict
from ingest.batches.lock import locked
from ingest.errors import BatchError
from profiles.errors import PipelineError
from tests.conftest import REPO
from tests.pipeline.generated import START
from tests.pipeline.harness import Batch, ClosedGate, Kept, Lab, Quiet

# Counts that fit only within one state: batch n brings movie n and n ratings of it.
STATE = """
    select
        (select count(*) from marts.dim_movies),
        (select count(*) from marts.fact_ratings),
        (select max(batch_id) from ops.builds),
        (select count(*) from snapshots.snap_movies),
        (select count(*) from staging.stg_movies)
"""
# Reads what is published as soon as the file is another one, and four times a second: more would take a core.
READER = """
import duckdb, json, os, sys, time
seen, read = None, 0.0
while True:
    file = os.stat(sys.argv[1])
    now = file.st_ino, file.st_mtime_ns
    if now != seen or time.monotonic() > read + 0.25:
        seen, read = now, time.monotonic()
        with duckdb.connect(sys.argv[1], read_only=True) as connection:
            print(json.dumps(connection.execute(sys.argv[2]).fetchone()), flush=True)
    time.sleep(0.002)
"""


def batch(number: int) -> Batch:
    """The first batch is full; each later one is a delta with one more movie."""
    rows = {
        "movies": [(number, f"Movie {number} (2001)", "Drama")],
        "ratings": [(user, number, "4.0", 1_000_000_000) for user in range(1, number + 1)],
    }
    return Batch(START + timedelta(days=number), rows, {} if number == 1 else dict.fromkeys(rows, "delta"))


def state(number: int) -> list[object]:
    """What a reader sees once batch `number` is published."""
    return [number, number * (number + 1) // 2, f"{number:06d}", number, number]


@pytest.fixture(scope="module")
def first(lab: Lab) -> Kept:
    """The first batch, published."""
    dataset = lab.new_dataset()
    lab.manifest(dataset, batch(1))
    lab.apply(dataset)
    return lab.keep(dataset)


@pytest.fixture
def published(lab: Lab, first: Kept) -> Iterator[str]:
    """The data set of a warehouse in which the first batch, and nothing else, is published."""
    yield lab.put_back(first)
    lab.delete_warehouse()


# What becomes of twenty runs, one after another: they publish, their gate closes, or they are killed at a step.
RUNS = (
    "good", "closed", "load", "good", "build and test", "copy", "good", "load", "gate", "renamed",
    "publish", "copy", "good", "closed", "load", "renamed", "build and test", "copy", "load", "good",
)  # fmt: skip


def test_every_answer_during_twenty_good_closed_and_killed_runs_is_one_judged_state(
    lab: Lab, published: str, tmp_path: Path
) -> None:
    reading = [sys.executable, "-c", READER, str(lab.settings.warehouse), STATE]
    with lab.environment():
        running = [sys.executable, "-m", "tests.pipeline.forked_runs", published]
        runs = subprocess.Popen(running, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPO)
    answers, expected, newest = tmp_path / "answers", [1], 1
    with (
        open(answers, "w") as out,
        subprocess.Popen(reading, stdout=out, stderr=subprocess.PIPE, text=True) as reader,
        runs,
    ):
        assert runs.stdin and runs.stdout and reader.stderr
        try:
            for fate in RUNS:
                newest += 1
                lab.manifest(published, batch(newest))
                print(fate, file=runs.stdin, flush=True)
                assert runs.stdout.readline() == {"good": "0\n", "closed": "1\n"}.get(fate, "-9\n"), fate
                expected += [newest] if fate in ("good", "renamed") else []
            time.sleep(1)
        finally:
            reader.kill()
            runs.stdin.close()
        assert reader.stderr.read() == ""
    *seen, _ = answers.read_text().split("\n")
    assert len(seen) > 2 * len(expected)
    assert [json.loads(line) for line in dict.fromkeys(seen)] == [state(number) for number in expected]


def test_a_closed_gate_says_what_is_published_and_where_the_judged_copy_is(lab: Lab, published: str) -> None:
    lab.manifest(published, batch(2))
    before = lab.settings.warehouse.read_bytes()
    with pytest.raises(PipelineError) as closed:
        lab.apply(published, gate=ClosedGate())
    assert f"{lab.settings.warehouse} holds batch 000001 as before" in str(closed.value)
    assert str(lab.file.copy) in str(closed.value)
    assert lab.settings.warehouse.read_bytes() == before
    assert lab._context.copy.rows("select count(*) from marts.dim_movies") == [(2,)]


def test_a_run_that_another_one_has_taken_over_publishes_nothing(lab: Lab, published: str) -> None:
    lab.manifest(published, batch(2))
    before, key = lab.settings.warehouse.read_bytes(), f"{published}/prod.lock"
    with locked(lab.store, key, "run") as lock:
        held = lab.store.head(key)
        assert held
        lab.store.put(key, b"{}", replaces=held.etag)
        with pytest.raises(BatchError, match="another run has taken over"):
            lab.apply(published, lock=lock)
    assert lab.settings.warehouse.read_bytes() == before
    lab.store.delete(key)


def test_what_the_gate_finds_comes_before_the_error_of_a_build_that_bad_data_broke(
    lab: Lab, published: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise PipelineError("the build is broken")

    asked = []

    class Asked(ClosedGate):
        def check(self, *given: Sequence[str], of_batches_alone: bool = False) -> Verdict:
            asked.append(of_batches_alone)
            return super().check(*given)

    lab.manifest(published, batch(2))
    monkeypatch.setattr(type(lab._context.dbt), "build", broken)
    with pytest.raises(PipelineError) as stopped:
        lab.apply(published, gate=Asked())
    text = str(stopped.value)
    assert text.index("the gate is closed") < text.index("the build is broken")
    assert asked == [True], "marts that are built in part are not judged"
    assert lab._context.copy.rows("select max(_batch) from quality.profile_movies") == [(2,)]


@pytest.mark.parametrize("step", ["load 000003", "build and test", "gate", "publish"])
def test_what_is_published_is_the_same_bytes_until_the_last_step(lab: Lab, published: str, step: str) -> None:
    for number in (2, 3):
        lab.manifest(published, batch(number))
    before = lab.settings.warehouse.read_bytes()
    found: list[bytes] = []
    lab.apply(published, report=Quiet(step, lambda: found.append(lab.settings.warehouse.read_bytes())))
    assert found == [before]
    assert list(lab.rows(STATE)[0]) == state(3)


def test_what_a_person_wrote_during_a_run_stays_and_the_next_run_goes_on_from_it(lab: Lab, published: str) -> None:
    lab.manifest(published, batch(2))

    def write() -> None:
        with duckdb.connect(str(lab.settings.warehouse)) as connection:
            connection.execute("create table main.mine as select 1 as one")

    with pytest.raises(PipelineError, match="somebody else"):
        lab.apply(published, report=Quiet("gate", write))
    assert lab.rows("select max(batch_id) from ops.builds") == [("000001",)]
    lab.apply(published)
    assert list(lab.rows(STATE)[0]) == state(2)
    assert lab.rows("select * from main.mine") == [(1,)]


def test_a_published_file_that_is_deleted_during_a_run_gets_its_successor(lab: Lab, published: str) -> None:
    lab.manifest(published, batch(2))
    lab.apply(published, report=Quiet("gate", lab.settings.warehouse.unlink))
    assert list(lab.rows(STATE)[0]) == state(2)


def test_a_published_file_that_is_replaced_during_a_run_is_not_published_over(lab: Lab, published: str) -> None:
    earlier = lab.settings.warehouse.read_bytes()
    lab.manifest(published, batch(2))
    lab.apply(published)
    lab.manifest(published, batch(3))

    def restore() -> None:
        other = lab.settings.warehouse.with_name("other")
        other.write_bytes(earlier)
        other.replace(lab.settings.warehouse)

    with pytest.raises(PipelineError, match="somebody else"):
        lab.apply(published, report=Quiet("publish", restore))
    assert list(lab.rows(STATE)[0]) == state(1)
    lab.apply(published)
    assert list(lab.rows(STATE)[0]) == state(3)
