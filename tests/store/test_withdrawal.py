"""Withdrawing: a batch no longer counts, nothing of it is lost, and the rest is as if it had never been landed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.batches import landing
from ingest.batches.committed import committed, committed_ids, datasets, latest, record_keys, withdrawn
from ingest.batches.landing import Landed
from ingest.batches.lock import landing_lock
from ingest.batches.withdrawal import withdraw
from ingest.errors import BatchError
from ingest.manifest import record_key
from ingest.store.bucket import Store
from tests.small_sources import DAY_1, DAY_2, DAY_3, FILES, MORE, another_bucket, content, folder_of

Lander = Callable[..., Landed]
ALL = ("000001", "000002", "000003")


@pytest.fixture(scope="module")
def embedded_store(embedded_store: Store) -> Store:
    """A bucket of this file's own: some of its data sets are broken for good."""
    return another_bucket(embedded_store)


@pytest.fixture
def three(lands: Lander, dataset: str, tmp_path: Path) -> str:
    """A data set of a full batch and two deltas."""
    lands(folder_of(tmp_path, FILES), as_of=DAY_1)
    for number, as_of in ((2, DAY_2), (3, DAY_3)):
        more = {"ratings.csv": f"userId,movieId,rating,timestamp\n3,{number},1.0,964982706\n"}
        lands(folder_of(tmp_path, more, f"more-{number}"), mode="delta", as_of=as_of)
    return dataset


def ids(store: Store, dataset: str) -> tuple[str, ...]:
    return tuple(batch.batch_id for batch in committed(store, dataset))


def test_a_withdrawn_batch_no_longer_counts_and_stays_where_it_is(embedded_store: Store, three: str) -> None:
    before, started = content(embedded_store, f"{three}/"), datetime.now(UTC)
    [record] = withdraw(embedded_store, three, "000002", reason="landed twice")
    assert ids(embedded_store, three) == ("000001", "000003")
    assert withdrawn(embedded_store, three) == [record]
    assert (record.batch_id, record.reason) == ("000002", "landed twice")
    assert started <= record.withdrawn_at <= datetime.now(UTC)
    after = content(embedded_store, f"{three}/")
    assert after.keys() - before.keys() == {record_key(three, "000002", "withdrawn")}
    assert {key: after[key] for key in before} == before


def test_each_commit_and_each_withdrawal_has_a_record_to_look_for(embedded_store: Store, three: str) -> None:
    manifests = {record_key(three, batch) for batch in ALL}
    assert record_keys(embedded_store, three) == manifests
    withdraw(embedded_store, three, "000002")
    assert record_keys(embedded_store, three) == manifests | {record_key(three, "000002", "withdrawn")}


@pytest.mark.parametrize(("batch", "left"), [("000001", ALL[:1]), ("000002", ALL[:2])])
def test_all_batches_after_one_are_withdrawn_at_once(
    embedded_store: Store, three: str, batch: str, left: tuple[str, ...]
) -> None:
    records = withdraw(embedded_store, three, batch, after=True)
    assert ids(embedded_store, three) == left
    assert tuple(record.batch_id for record in records) == tuple(i for i in ALL if i not in left)


def test_what_the_newest_batch_is_follows_from_those_that_count(embedded_store: Store, three: str) -> None:
    withdraw(embedded_store, three, "000003")
    newest = latest(embedded_store, three)
    assert newest is not None
    assert newest.batch_id == "000002"
    withdraw(embedded_store, three, "000001", after=True)
    withdraw(embedded_store, three, "000001")
    assert latest(embedded_store, three) is None
    assert three not in datasets(embedded_store)


def test_withdrawn_content_can_be_landed_again_with_another_date_and_a_new_id(
    lands: Lander, embedded_store: Store, dataset: str, tmp_path: Path
) -> None:
    lands(folder_of(tmp_path, FILES), as_of=DAY_3)
    withdraw(embedded_store, dataset, "000001")
    again = lands(folder_of(tmp_path, FILES), as_of=DAY_1)
    assert (again.unchanged, again.manifest.batch_id, again.manifest.as_of) == (False, "000002", DAY_1)
    assert committed_ids(embedded_store, dataset) == ["000001", "000002"]


def test_the_rules_of_landing_look_at_batches_that_count_only(
    lands: Lander, embedded_store: Store, dataset: str, tmp_path: Path
) -> None:
    lands(folder_of(tmp_path, FILES), as_of=DAY_1)
    changed = FILES | {"links.csv": "movieId,imdbId,tmdbId\n1,0114709,863\n"}
    lands(folder_of(tmp_path, changed, "changed"), as_of=DAY_3)
    withdraw(embedded_store, dataset, "000002")
    assert lands(folder_of(tmp_path, FILES), as_of=DAY_3).unchanged, "the current content is that of the first batch"
    assert lands(folder_of(tmp_path, changed, "changed"), as_of=DAY_2).manifest.batch_id == "000003"
    withdraw(embedded_store, dataset, "000001", after=True)
    withdraw(embedded_store, dataset, "000001")
    with pytest.raises(BatchError, match=r"no movies\.csv: the first batch"):
        lands(folder_of(tmp_path, MORE, "more"))


def test_a_first_batch_that_later_ones_stand_on_is_not_withdrawn(embedded_store: Store, three: str) -> None:
    before = content(embedded_store, f"{three}/")
    with pytest.raises(BatchError, match=r"batch 000002 stands on 000001.*movies\.csv.*--withdraw-after 000001"):
        withdraw(embedded_store, three, "000001")
    assert content(embedded_store, f"{three}/") == before


def test_a_first_batch_is_not_withdrawn_where_the_next_only_changes_it(
    lands: Lander, embedded_store: Store, dataset: str, tmp_path: Path
) -> None:
    lands(folder_of(tmp_path, FILES), as_of=DAY_1)
    lands(folder_of(tmp_path, FILES | MORE, "changes"), as_of=DAY_2, mode="delta")
    with pytest.raises(BatchError, match=r"batch 000002 stands on 000001.*all of movies\.csv and ratings\.csv"):
        withdraw(embedded_store, dataset, "000001")


def test_later_batches_are_withdrawn_whatever_the_first_is(
    lands: Lander, embedded_store: Store, dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing, "_check_first", lambda *_, **__: None)  # as an earlier version landed
    lands(folder_of(tmp_path, FILES), as_of=DAY_1, mode="delta")
    lands(folder_of(tmp_path, FILES | MORE, "changes"), as_of=DAY_2, mode="delta")
    withdraw(embedded_store, dataset, "000002")
    assert ids(embedded_store, dataset) == ("000001",)


def test_a_first_batch_is_withdrawn_where_the_next_is_whole(
    lands: Lander, embedded_store: Store, dataset: str, tmp_path: Path
) -> None:
    lands(folder_of(tmp_path, FILES), as_of=DAY_1)
    lands(folder_of(tmp_path, FILES | MORE, "other"), as_of=DAY_2)
    withdraw(embedded_store, dataset, "000001")
    assert ids(embedded_store, dataset) == ("000002",)


@pytest.mark.parametrize("unknown", ["000004", "1", "", "x", "../000001", "000001/"])
@pytest.mark.parametrize("after", [False, True])
def test_a_batch_that_is_not_landed_is_not_withdrawn(
    embedded_store: Store, three: str, unknown: str, after: bool
) -> None:
    with pytest.raises(BatchError, match=r"has no batch .*its batches are 000001, 000002, 000003"):
        withdraw(embedded_store, three, unknown, after=after)


def test_a_batch_is_withdrawn_once(embedded_store: Store, three: str) -> None:
    withdraw(embedded_store, three, "000003", reason="first")
    with pytest.raises(BatchError, match=r"000003 is withdrawn already, since .* \(first\)"):
        withdraw(embedded_store, three, "000003", reason="second")
    with pytest.raises(BatchError, match="no batch follows 000002"):
        withdraw(embedded_store, three, "000002", after=True)
    assert [record.reason for record in withdrawn(embedded_store, three)] == ["first"]


def test_nothing_is_withdrawn_while_a_landing_runs(embedded_store: Store, three: str) -> None:
    with landing_lock(embedded_store, three), pytest.raises(BatchError, match="another landing is running"):
        withdraw(embedded_store, three, "000003")
    assert ids(embedded_store, three) == ALL


def test_a_batch_whose_manifest_is_damaged_can_be_withdrawn_and_the_rest_read(
    embedded_store: Store, three: str
) -> None:
    key = record_key(three, "000003")
    embedded_store.delete(key)
    embedded_store.put(key, b"{")
    with pytest.raises(BatchError, match="--withdraw 000003"):
        committed(embedded_store, three)
    withdraw(embedded_store, three, "000003")
    assert ids(embedded_store, three) == ALL[:2]


def test_a_record_that_cannot_be_read_hides_its_batch_and_is_named(embedded_store: Store, three: str) -> None:
    embedded_store.put(record_key(three, "000002", "withdrawn"), b"[]")
    assert ids(embedded_store, three) == ("000001", "000003")
    with pytest.raises(BatchError, match=record_key(three, "000002", "withdrawn")):
        withdrawn(embedded_store, three)


@pytest.mark.parametrize("ahead", [timedelta(days=1, minutes=5), timedelta(days=30_000)])
def test_a_date_in_the_future_is_refused_before_anything_is_landed(
    lands: Lander, embedded_store: Store, dataset: str, tmp_path: Path, ahead: timedelta
) -> None:
    as_of = datetime.now(UTC) + ahead
    with pytest.raises(BatchError, match=r"today is .*--as-of.*--allow-future"):
        lands(folder_of(tmp_path, FILES), as_of=as_of)
    assert content(embedded_store, f"{dataset}/") == {}
    assert lands(folder_of(tmp_path, FILES), as_of=as_of, allow_future=True).manifest.as_of == as_of


def test_a_clock_that_is_some_hours_behind_stops_no_landing(lands: Lander, tmp_path: Path) -> None:
    assert lands(folder_of(tmp_path, FILES), as_of=datetime.now(UTC) + landing.AHEAD - timedelta(minutes=5)).manifest
