"""What others do to the job's files and its store: refused by name with a way back, and nothing half-loaded."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest.batches.committed import committed
from ingest.manifest import record_key
from ingest.store.bucket import Store
from pipeline.fingerprints import differences
from pipeline.warehouse import duckdb_warehouse
from tests.conftest import REPO
from tests.faults.conftest import DAY_2, FULL, SIZE, end
from tests.faults.job import Job, World
from tests.proxy import Choice, always, faulty_proxy, once

PART = "sample/000002/ratings/part-00000.csv.zst"


@pytest.fixture(scope="module")
def day_2_landed(day_1: Job, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Day 1 applied, day 2 landed and waiting; to be copied, never changed."""
    job = day_1.copy(tmp_path_factory.mktemp("landed") / "data")
    job.inside("land", *SIZE, "--day", "2")
    return job


@pytest.fixture
def landed(day_2_landed: Job, tmp_path: Path) -> Iterator[Job]:
    """A copy of that to do damage to."""
    copied = day_2_landed.copy(tmp_path / "data")
    yield copied
    end(copied)


def loaded(job: Job) -> list[str]:
    rows = duckdb_warehouse(job.settings.warehouse, read_only=True).rows("select distinct batch_id from raw.batches")
    return sorted(batch for (batch,) in rows)


def test_a_second_run_is_refused_at_once_while_the_first_goes_on(job: Job) -> None:
    first = job.start("dev", "--no-land", "--follow")
    try:
        assert first.stdout
        while "following" not in (line := first.stdout.readline()):
            assert line, "the first run has ended"
        refused = job.fails("dev", *SIZE)
        assert "Another run is writing to" in refused
        assert f"{job.data}/dev.lock" in refused
        assert first.poll() is None
    finally:
        os.kill(first.pid, signal.SIGINT)
        output, _ = first.communicate(timeout=60)
    assert first.returncode == 0, output


@pytest.mark.parametrize("seconds", [0.0, 0.7])
def test_ctrl_c_in_a_build_stops_it_and_the_next_run_goes_on(job: Job, day_2: World, seconds: float) -> None:
    stopped = job.start(*DAY_2)
    assert stopped.stdout
    while "load 000002" not in (line := stopped.stdout.readline()):
        assert line, "it has ended before its build"
    time.sleep(seconds)
    os.killpg(stopped.pid, signal.SIGINT)  # as a terminal does: to all of its processes
    assert_stopped(job, stopped)
    job.inside(*DAY_2)
    assert job.world() == day_2


def test_ctrl_c_while_the_engine_reads_a_part_stops_the_load_and_nothing_of_it_stays(landed: Job) -> None:
    reads = [0]

    def choose(method: str, path: str) -> str | None:
        if method != "GET" or not path.endswith(PART):
            return None
        reads[0] += 1
        if reads[0] == 2:  # the first one holds it against its manifest
            os.killpg(stopped.pid, signal.SIGINT)
        return "slow"

    with proxied(landed, choose) as (shaky, _):  # type: ignore[arg-type]
        stopped = shaky.start("dev", "--no-land")
        assert_stopped(shaky, stopped)
    assert loaded(landed) == ["000001"]


def assert_stopped(job: Job, process: subprocess.Popen[str]) -> None:
    try:
        output, _ = process.communicate(timeout=60)
    finally:
        job.kill(process, "group")
    assert process.returncode == 130, output
    assert output.splitlines()[-1] == "stopped; run again to go on from here"
    assert "error" not in output
    assert "Traceback" not in output


def alter(store: Store, key: str) -> None:
    body = bytearray(store.get(key) or b"")
    body[len(body) // 2] ^= 1
    store.delete(key)
    store.put(key, bytes(body))


@pytest.mark.parametrize(
    ("damage", "key"),
    [
        (alter, PART),
        (Store.delete, PART),
        (alter, record_key("sample", "000001")),
        (Store.delete, record_key("sample", "000001")),
    ],
)
def test_what_was_altered_or_deleted_after_its_commit_is_refused_by_name(
    landed: Job, damage: Callable[[Store, str], None], key: str
) -> None:
    with landed.store() as store:
        damage(store, key)
    assert key in landed.fails("dev", "--no-land")
    assert loaded(landed) == ["000001"]


def garbage(path: Path) -> None:
    path.write_bytes(b"not a database" * 4096)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for offset in range(3 * 4096, len(content), 4096):
        content[offset + 100] ^= 0xFF
    path.write_bytes(content)


def newer(path: Path) -> None:
    """As a coming version of DuckDB will write it: the header's version is another, and so is its checksum."""
    header = bytearray(path.read_bytes()[:4096])
    header[12:20] = struct.pack("<Q", 999)
    checksum = 5381
    for (word,) in struct.iter_unpack("<Q", header[8:]):
        checksum ^= word * 0xBF58476D1CE4E5B9 % 2**64
    header[:8] = struct.pack("<Q", checksum)
    with open(path, "r+b") as file:
        file.write(header)


@pytest.mark.parametrize("damage", [garbage, empty, half, flipped, newer])
def test_a_damaged_warehouse_is_named_with_the_way_back(job: Job, damage: Callable[[Path], None]) -> None:
    wanted = job.world() if damage is garbage or FULL else None  # a rebuild takes its time
    damage(job.settings.warehouse)
    told = job.fails("dev", "--no-land")
    assert str(job.settings.warehouse) in told
    assert "--rebuild" in told
    if wanted:
        job.inside("dev", "--rebuild")
        assert_same(job.world(), wanted)


def test_a_clock_that_was_set_back_changes_nothing(job: Job, day_2: World) -> None:
    with duckdb.connect(str(job.settings.warehouse)) as warehouse:  # as a run whose clock was a year ahead left it
        warehouse.execute("update ops.builds set built_at = built_at + interval 1 year")
        warehouse.execute("update raw.load_ledger set loaded_at = loaded_at + interval 1 year")
    job.inside(*DAY_2)
    assert "nothing new" in job.inside(*DAY_2)
    assert_same(job.world(), day_2)


LIMITED = """
import resource, sys
from pipeline.__main__ import app
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
"""
COMMAND = "app()\n"
STORE = """
from ingest.settings import Settings
from ingest.store.embedded import object_store
with object_store(Settings(), embedded=True):
    print("it runs", flush=True)
    sys.stdin.read()
"""


def start_limited(job: Job, size: int, *arguments: str, does: str = COMMAND) -> subprocess.Popen[str]:
    """Starts a command that, with all that it starts, can write no file beyond a size: a disk that is full.

    Python would cut off the compiled modules of a new environment as well, and not notice: it is to write none.
    """
    command = [sys.executable, "-B", "-c", LIMITED + does, str(size), *arguments]
    pipe = subprocess.PIPE
    pipes: dict[str, Any] = {"stdin": pipe, "stdout": pipe, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, env=job.environment, cwd=REPO, **pipes)


def test_a_disk_that_is_full_stops_the_run_and_the_next_one_goes_on(job: Job, day_2: World) -> None:
    published = job.settings.warehouse.read_bytes()
    full = start_limited(job, 100_000, *DAY_2)
    output, _ = full.communicate(timeout=180)
    assert full.returncode == 1, output
    assert "Traceback" not in output
    assert output.count("error:") == 1
    assert job.settings.warehouse.read_bytes() == published
    # With room for the copy it is the build that finds the disk full, or gets through in what the file has free.
    full = start_limited(job, len(published) + 200_000, *DAY_2)
    output, _ = full.communicate(timeout=180)
    assert "Traceback" not in output
    assert full.returncode == 0 or job.settings.warehouse.read_bytes() == published
    job.inside(*DAY_2)
    assert_same(job.world(), day_2)


def test_a_download_without_room_is_named_and_the_next_run_goes_on(anew: Job) -> None:
    full = start_limited(anew, 10_000, "land", *SIZE)
    output, _ = full.communicate(timeout=60)
    assert full.returncode == 1, output
    assert f"{anew.data}/downloads/" in output
    assert "cannot write" in output
    assert anew.objects() == {}
    anew.inside("land", *SIZE)


def test_a_store_without_room_commits_nothing_and_the_next_run_goes_on(anew: Job) -> None:
    land = ("land", "--ratings", "20000")
    store = start_limited(anew, 50_000, does=STORE)
    try:
        assert store.stdout
        assert store.stdout.readline() == "it runs\n"
        assert "sample/000001/" in anew.fails(*land)
        assert not [key for key in anew.objects() if key.endswith("manifest.json")]
    finally:
        store.communicate(timeout=60)
    anew.inside(*land)
    with anew.store() as found:
        assert len(committed(found, "sample")) == 1


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert str(tmp_path / "file" / "data") in Job(tmp_path / "file" / "data").fails("dev", *SIZE)


def test_a_store_that_stumbles_is_asked_again_and_the_result_is_the_same(job: Job, day_2: World) -> None:
    faults = [
        once("lost", "PUT", "000002/manifest.json"),
        once("500", "PUT", ".csv.zst"),
        once("truncated", "GET", "000002/ratings/part-00000.csv.zst"),
        once("reset", "GET", "000002/movies/part-00000.csv.zst"),
        once("500", "GET", "000002/tags/part-00000.csv.zst"),
        once("truncated", "GET", "000001/manifest.json"),
        every(7, "500", "HEAD"),
    ]
    through_proxy(job, lambda method, path: next(filter(None, (choose(method, path) for choose in faults)), None))
    assert_same(job.world(), day_2)


def every(nth: int, fault: str, method: str) -> Choice:
    seen = [0]

    def choose(verb: str, path: str) -> str | None:
        seen[0] += verb == method
        return fault if verb == method and seen[0] % nth == 0 else None

    return choose  # type: ignore[return-value]


def test_a_store_that_fails_for_good_is_one_clear_error_and_nothing_is_loaded(landed: Job) -> None:
    told = through_proxy(landed, always("500", "GET", PART), "dev", "--no-land", fails=True)
    assert PART in told
    assert "after 5 tries" in told
    assert loaded(landed) == ["000001"]


def test_a_store_that_fails_while_the_engine_reads_is_one_clear_error_and_nothing_is_loaded(landed: Job) -> None:
    reads = [0]

    def choose(method: str, path: str) -> str | None:
        reads[0] += method == "GET" and path.endswith(PART)
        return "500" if reads[0] > 1 and path.endswith(PART) else None  # the first one holds it against its manifest

    told = through_proxy(landed, choose, "dev", "--no-land", fails=True)  # type: ignore[arg-type]
    assert "loading batch 000002 failed" in told
    assert loaded(landed) == ["000001"]


@contextmanager
def proxied(job: Job, choose: Choice) -> Iterator[tuple[Job, Store]]:
    """The job with the embedded store as any other, behind a proxy; and the store itself."""
    with job.store() as store, faulty_proxy(str(store.endpoint_url), choose) as url:
        keys = store.credentials()
        own = {
            "S3_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        }
        yield Job(job.data, **own), store


def through_proxy(job: Job, choose: Choice, *command: str, fails: bool = False) -> str:
    """Runs a command of a job behind a proxy."""
    with proxied(job, choose) as (shaky, store):
        told = (shaky.fails if fails else shaky.inside)(*(command or DAY_2))
        assert store.credentials().secret_key not in told
        assert [batch.batch_id for batch in committed(store, "sample")] == ["000001", "000002"]
    return told


def assert_same(found: World, wanted: World) -> None:
    assert found.objects == wanted.objects
    assert found.ledger == wanted.ledger
    assert differences(found.relations, wanted.relations) == {}
