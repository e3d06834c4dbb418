"""A warehouse is disposable: what it holds depends on the landed batches alone, not on how it lived through them."""

from __future__ import annotations

from random import Random

from tests.pipeline.generated import mixed
from tests.pipeline.harness import Lab
from tests.pipeline.oracle import Oracle, assert_as_told
from tests.pipeline.relations import difference


def test_a_warehouse_that_lived_equals_its_replay_and_its_full_refresh(lab: Lab, seed: int) -> None:
    batches, oracle, dataset = mixed(Random(f"mixed {seed}"), 5), Oracle(), lab.new_dataset()
    for batch in batches:
        lab.manifest(dataset, batch)
        oracle.take(batch)
        lab.apply(dataset)
        assert_as_told(lab.rows, oracle)
    lived, history = lab.marts(), lab.history()

    lab.full_refresh()
    assert lab.marts() == lived, difference(lab.marts(), lived)
    assert lab.history() == history, difference(lab.history(), history)

    lab.delete_warehouse()
    lab.apply(dataset)
    assert lab.marts() == lived, difference(lab.marts(), lived)
    assert lab.history() == history, difference(lab.history(), history)
