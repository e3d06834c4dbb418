"""Withdrawing a batch equals never having landed it, whatever came before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from expectations.checks import Severity
from expectations.verdict import Finding, Verdict
from ingest.batches.committed import committed
from ingest.batches.withdrawal import withdraw
from ingest.errors import BatchError
from ingest.manifest import record_key
from profiles.errors import PipelineError
from tests.pipeline.generated import START, mixed
from tests.pipeline.harness import Batch, Kept, Lab, OpenGate
from tests.pipeline.oracle import Oracle, assert_as_told
from tests.pipeline.relations import Row, difference
from tests.pipeline.test_real_releases import NEW, OLD, release


def three(number: int) -> Batch:
    """Batches that each correct the title of one movie."""
    rows = {"movies": [(1, f"Title {number} (2001)", "Drama")], "ratings": [(number, 1, "4.0", 1_000_000_000)]}
    return Batch(START + timedelta(days=number), rows, {} if number == 1 else dict.fromkeys(rows, "delta"))


@pytest.fixture(scope="module")
def applied(lab: Lab) -> Kept:
    """Those batches, all of them published."""
    dataset = lab.new_dataset()
    for number in (1, 2, 3):
        lab.manifest(dataset, three(number))
    lab.apply(dataset)
    return lab.keep(dataset)


@pytest.fixture
def dataset(lab: Lab, applied: Kept) -> str:
    """A data set that holds them and nothing else."""
    return lab.put_back(applied)


def test_a_story_with_withdrawals_equals_the_story_without(lab: Lab, seed: int) -> None:
    random, dataset = Random(f"withdrawn {seed}"), lab.new_dataset()
    story: dict[str, Batch] = {}
    for batch in mixed(random) + [later(batch) for batch in mixed(random)[1:]]:
        answer = lab.land(dataset, batch)
        if answer.unchanged:
            continue
        story[answer.manifest.batch_id] = batch
        if random.random() < 0.5:
            lab.apply(dataset)
        while len(story) > 1 and random.random() < 0.4:
            batch_id = random.choice(list(story))
            try:
                withdraw(lab.store, dataset, batch_id, reason="it's a \\ test")
            except BatchError:  # later ones stand on it
                break
            del story[batch_id]
            if random.random() < 0.3:
                lab.apply(dataset)
    lab.apply(dataset)
    marts, history, rows = lab.marts(), lab.history(), lab.rows("select distinct reason from ops.withdrawals")
    assert rows in ([], [("it's a \\ test",)])

    oracle = Oracle()
    for batch in story.values():
        oracle.take(batch)
    assert_as_told(lab.warehouse, oracle)

    without = lab.new_dataset()
    for batch in story.values():
        lab.manifest(without, batch)
    lab.apply(without)
    assert lab.marts() == marts, difference(lab.marts(), marts)
    assert lab.history() == history, difference(lab.history(), history)


def later(batch: Batch) -> Batch:
    """The same some months after."""
    return Batch(batch.as_of + timedelta(days=200), batch.rows, batch.modes)


def test_four_real_releases_with_the_third_withdrawn_equal_the_other_three(lab: Lab, releases_folder: Path) -> None:
    if not (releases_folder / OLD).exists():
        pytest.skip(f"no {OLD} in {releases_folder}: set MOVIELENS_TEST_RELEASES")
    old, new = release(releases_folder / OLD), release(releases_folder / NEW)
    tables = [every(3, old), old, every(2, new), new]  # two of them cut from the next one
    story = [Batch(START + timedelta(days=number), rows) for number, rows in enumerate(tables)]
    dataset = lab.new_dataset()
    for batch in story[:3]:
        lab.manifest(dataset, batch)
    lab.apply(dataset)
    lab.manifest(dataset, story[3])
    withdraw(lab.store, dataset, "000003")
    lab.apply(dataset)
    marts, history = lab.marts(), lab.history()
    assert len(history["marts.dim_movies_history"]) > 10_000

    without = lab.new_dataset()
    for batch in (*story[:2], story[3]):
        lab.manifest(without, batch)
    lab.apply(without)
    assert lab.marts() == marts, difference(lab.marts(), marts)
    assert lab.history() == history, difference(lab.history(), history)


def every(nth: int, tables: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """A part of a release."""
    return {name: rows[::nth] for name, rows in tables.items()}


def test_what_was_withdrawn_before_it_was_applied_costs_no_new_warehouse(lab: Lab, dataset: str) -> None:
    lab.manifest(dataset, three(4))
    withdraw(lab.store, dataset, "000004")
    lab.apply(dataset, publication=lab.file)
    kept = lab.rows("select max(loaded_at) from raw.load_ledger")
    assert lab.rows("select batch_id from ops.withdrawals") == [("000004",)]
    assert lab.rows("select title from marts.dim_movies") == [("Title 3",)]
    assert lab.apply(dataset) is None
    assert lab.rows("select max(loaded_at) from raw.load_ledger") == kept


def test_a_withdrawn_batch_whose_parts_are_gone_is_not_missed(lab: Lab, dataset: str) -> None:
    withdraw(lab.store, dataset, "000002")
    for found in list(lab.store.list(f"{dataset}/000002/")):
        if "part-" in found.key:
            lab.store.delete(found.key)
    lab.apply(dataset)
    assert lab.rows("select source_title from marts.dim_movies_history order by valid_from") == [
        ("Title 1 (2001)",),
        ("Title 3 (2001)",),
    ]


def test_what_is_withdrawn_during_a_run_is_gone_after_the_next(lab: Lab, dataset: str) -> None:
    lab.manifest(dataset, three(4))

    class Withdrawing(OpenGate):
        def check(self, batches: Sequence[str] = (), accepted: Sequence[str] = (), **_: bool) -> Verdict:
            withdraw(lab.store, dataset, "000004")
            return super().check(batches, accepted)

    lab.apply(dataset, gate=Withdrawing())
    assert lab.rows("select title from marts.dim_movies") == [("Title 4",)]
    lab.apply(dataset)
    assert lab.rows("select title from marts.dim_movies") == [("Title 3",)]
    assert lab.rows("select count(*) from marts.dim_movies_history") == [(3,)]


class Doubting(OpenGate):
    """Finds a fault in the second batch; keeps what it was asked about."""

    asked: Sequence[str] = ()

    def check(self, batches: Sequence[str] = (), accepted: Sequence[str] = (), **_: bool) -> Verdict:
        """An error, or a warning where it is accepted."""
        self.asked = batches
        severity: Severity = "warning" if "000002" in accepted else "error"
        finding = Finding(severity, "000002", "movies", "a fault", "none", "planted")
        return Verdict(tuple(batches), 1, (finding,) if "000002" in batches else (), 0.0)


def stopped(*_: object) -> None:
    raise PipelineError("stopped")


def test_an_accepted_batch_is_accepted_in_every_replay(lab: Lab, dataset: str) -> None:
    lab.delete_warehouse()
    with pytest.raises(PipelineError, match=r"the gate is closed.*\n.*--withdraw 000002"):
        lab.apply(dataset, gate=Doubting())
    with pytest.raises(PipelineError, match=r"--accept 2: a batch's id has six digits, such as 000003"):
        lab.apply(dataset, gate=Doubting(), accepted=["2"])
    with pytest.MonkeyPatch.context() as killed:
        killed.setattr(type(lab.file), "publish", stopped)
        with pytest.raises(PipelineError, match="stopped"):
            lab.apply(dataset, gate=Doubting(), accepted=["000002"])
    lab.apply(dataset, gate=Doubting())
    before = lab.history()
    lab.delete_warehouse()
    lab.apply(dataset, gate=Doubting())
    assert lab.history() == before
    withdraw(lab.store, dataset, "000002")
    assert [manifest.batch_id for manifest in committed(lab.store, dataset)] == ["000001", "000003"]


def test_what_followed_a_withdrawn_batch_is_judged_again_by_what_is_before_it_now(lab: Lab, dataset: str) -> None:
    gate = Doubting()
    for number in (4, 5):
        lab.manifest(dataset, three(number))
    lab.apply(dataset, gate=gate)
    assert gate.asked == ["000004", "000005"]
    withdraw(lab.store, dataset, "000002")
    lab.apply(dataset, gate=gate)
    assert gate.asked == ["000003", "000004", "000005"]


def test_withdrawn_content_counts_again_when_it_is_landed_with_another_date(lab: Lab, dataset: str) -> None:
    withdraw(lab.store, dataset, "000003")
    again = three(3)
    lab.manifest(dataset, Batch(again.as_of + timedelta(days=7), again.rows, again.modes))
    lab.apply(dataset)
    assert lab.rows("select source_title, valid_from from marts.dim_movies_history where is_current") == [
        ("Title 3 (2001)", (again.as_of + timedelta(days=7)).replace(tzinfo=None))
    ]


def test_when_all_is_withdrawn_nothing_of_it_is_published_until_another_is_landed(lab: Lab) -> None:
    dataset = lab.new_dataset()
    lab.manifest(dataset, three(1))
    lab.apply(dataset)
    withdraw(lab.store, dataset, "000001")
    assert lab.apply(dataset) == []
    assert lab.rows("select table_schema from information_schema.tables where table_schema = 'marts'") == []
    assert lab.rows("select * from raw.movies") == lab.rows("select * from raw.batches") == []
    assert lab.apply(dataset) is None, "it is as it should be"
    lab.manifest(dataset, replace(three(1), as_of=three(2).as_of))
    lab.apply(dataset)
    assert lab.rows("select title from marts.dim_movies") == [("Title 1",)]
    assert lab.rows("select batch_id from ops.withdrawals") == [("000001",)]


def test_a_batch_that_was_deleted_and_not_withdrawn_is_still_missed(lab: Lab, dataset: str) -> None:
    withdraw(lab.store, dataset, "000003")
    lab.store.delete(record_key(dataset, "000002"))
    with pytest.raises(PipelineError, match=r"000002/manifest\.json .*is missing"):
        lab.apply(dataset)
