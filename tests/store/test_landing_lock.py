"""Landings at once: one wins, the others say so, and a dead one holds nobody up."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.batches import lock as landing_lock
from ingest.batches.committed import committed
from ingest.batches.landing import Landed, Landing, land
from ingest.errors import BatchError
from ingest.lines import parts
from ingest.lines.parts import cut
from ingest.settings import Settings
from ingest.store.bucket import Store
from tests.conftest import settings_in
from tests.small_sources import FILES, content, folder_of, zip_of

Lander = Callable[..., Landed]


def test_of_two_landings_at_once_one_wins_and_the_other_says_so(
    embedded_store: Store, dataset: str, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, proceed = threading.Event(), threading.Event()

    def waiting(*arguments: Any, **options: Any) -> parts.CutBatch:
        entered.set()
        assert proceed.wait(20)
        return cut(*arguments, **options)

    monkeypatch.setattr(parts, "cut", waiting)
    elsewhere = settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(land, Landing(dataset, zip_of(tmp_path, FILES)), embedded_store, settings)
        assert entered.wait(20)
        try:
            with pytest.raises(BatchError, match=rf"another landing is running.*{os.getpid()}.*{socket.gethostname()}"):
                land(Landing(dataset, folder_of(tmp_path, FILES)), embedded_store, elsewhere)
        finally:
            proceed.set()
        winner = first.result(20).manifest
    assert committed(embedded_store, dataset) == [winner]


def test_many_landings_at_once_lose_and_double_nothing(embedded_store: Store, dataset: str, tmp_path: Path) -> None:
    def attempt(number: int) -> bool:
        ratings = f"userId,movieId,rating,timestamp\n{number + 1},1,4.0,964982703\n"
        source = folder_of(tmp_path, FILES | {"ratings.csv": ratings}, f"source-{number}")
        try:
            as_of = datetime(2020, 2, number + 1, tzinfo=UTC)
            land(Landing(dataset, source, as_of=as_of), embedded_store, settings_in(tmp_path / f"data-{number}"))
        except BatchError:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        won = list(threads.map(attempt, range(6)))
    batches = committed(embedded_store, dataset)
    assert [batch.batch_id for batch in batches] == [f"{number:06d}" for number in range(1, won.count(True) + 1)]
    assert len({batch.tables["ratings"].source_sha256 for batch in batches}) == len(batches) >= 1


def held(store: Store, dataset: str, **holder: Any) -> None:
    known = {"host": "another-host", "pid": 4711, "since": "2020-01-01T00:00:00+00:00", "token": "x"} | holder
    store.put(f"{dataset}/landing.lock", json.dumps(known).encode())


def test_the_lock_of_a_dead_process_is_taken_over(
    lands: Lander, embedded_store: Store, dataset: str, tmp_path: Path
) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    held(embedded_store, dataset, host=socket.gethostname(), counted_in=landing_lock._counted_in(), pid=dead.pid)
    assert not lands(zip_of(tmp_path, FILES)).unchanged


def test_a_lock_of_another_host_holds_until_its_lease_ends(
    lands: Lander, embedded_store: Store, dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held(embedded_store, dataset)
    with pytest.raises(BatchError, match=r"another landing is running .process 4711 on another-host, since 2020"):
        lands(zip_of(tmp_path, FILES))
    monkeypatch.setattr(landing_lock, "LEASE_SECONDS", -1.0)
    assert not lands(zip_of(tmp_path, FILES)).unchanged


def test_a_process_of_a_container_that_shares_the_host_s_name_is_not_taken_for_dead(
    lands: Lander, embedded_store: Store, dataset: str, tmp_path: Path
) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    held(embedded_store, dataset, host=socket.gethostname(), counted_in="elsewhere", pid=dead.pid)
    with pytest.raises(BatchError, match="another landing is running"):
        lands(zip_of(tmp_path, FILES))


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff"])
def test_a_lock_that_says_nothing_ends_with_its_lease(
    lands: Lander, embedded_store: Store, dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    embedded_store.put(f"{dataset}/landing.lock", body)
    with pytest.raises(BatchError, match="another landing is running"):
        lands(folder_of(tmp_path, FILES))
    monkeypatch.setattr(landing_lock, "LEASE_SECONDS", -1.0)
    assert lands(folder_of(tmp_path, FILES, "again")).manifest.batch_id == "000001"


def test_a_held_lock_is_refreshed(embedded_store: Store, dataset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing_lock, "REFRESH_SECONDS", 0.02)
    writes: list[str | None] = []
    put = Store.put
    monkeypatch.setattr(
        Store, "put", lambda self, *a, **options: (writes.append(options.get("replaces")), put(self, *a, **options))[1]
    )
    with landing_lock.landing_lock(embedded_store, dataset) as lock:
        threading.Event().wait(0.3)
        lock.check()
    assert len(writes) > 2
    assert writes[0] is None
    assert all(writes[1:])
    assert embedded_store.head(f"{dataset}/landing.lock") is None


@pytest.mark.parametrize("taken", [True, False])
def test_who_lost_the_lock_leaves_that_of_another_alone(embedded_store: Store, dataset: str, taken: bool) -> None:
    key = f"{dataset}/landing.lock"
    with landing_lock.landing_lock(embedded_store, dataset):
        embedded_store.delete(key)
        if taken:
            held(embedded_store, dataset)
    assert (embedded_store.head(key) is not None) == taken


def test_a_lock_that_is_gone_is_lost(embedded_store: Store, dataset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing_lock, "REFRESH_SECONDS", 0.02)
    with landing_lock.landing_lock(embedded_store, dataset) as lock:
        embedded_store.delete(f"{dataset}/landing.lock")
        threading.Event().wait(0.3)
        with pytest.raises(BatchError, match="taken over"):
            lock.check()


def test_who_lost_the_lock_commits_nothing(
    lands: Lander, embedded_store: Store, dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing_lock, "REFRESH_SECONDS", 0.02)

    def stolen(*arguments: Any, **options: Any) -> parts.CutBatch:
        embedded_store.delete(f"{dataset}/landing.lock")
        held(embedded_store, dataset)
        threading.Event().wait(0.3)
        return cut(*arguments, **options)

    monkeypatch.setattr(parts, "cut", stolen)
    with pytest.raises(BatchError, match="another landing has taken over"):
        lands(zip_of(tmp_path, FILES))
    assert list(content(embedded_store, f"{dataset}/")) == [f"{dataset}/landing.lock"]
