"""An odd batch passes or warns, a faulty one stops the run, whether or not anybody planned for it."""

from __future__ import annotations

import pytest

from expectations.verdict import Finding, Verdict
from tests.pipeline.odd_batches import ODD, Odd
from tests.pipeline.planted_faults import FAULTS
from tests.pipeline.planting import Bench


def test_a_delta_is_no_sample_and_its_distribution_only_warns(bench: Bench) -> None:
    ratings = """
        delete from raw.ratings where _batch = 2 and _row % 5 != 0;
        update raw.ratings set rating = 0.5, timestamp = 2000000000 where _batch = 2;
        update raw.batches set mode = '{mode}' where _batch = 2 and table_name = 'ratings';
    """
    found: dict[str, Verdict] = {}
    for mode in ("delta", "full"):
        bench.plant(ratings.format(mode=mode))
        found[mode] = bench.judged()
    distribution = {"raw.ratings.rating (mean)", "raw.ratings.rating (stdev)", "profile_ratings.whole_star_share"}
    assert found["delta"].of("error") == ()
    assert subjects(found["delta"].of("warning")) >= distribution
    assert subjects(found["full"].of("error")) >= distribution


def test_an_accepted_batch_only_warns(bench: Bench) -> None:
    bench.plant(next(fault.sql for fault in FAULTS if fault.name == "one genre is renamed"))
    verdict = bench.judged("000002")
    assert verdict.passed
    found = {finding.subject: finding for finding in verdict.of("warning")}
    assert found["profile_movies.share_with_unknown_genre"].rows, "what was accepted can still be looked at"


DEALT_ANEW = """
    create temp table dealt as select user_id, dense_rank() over (order by hash(user_id)) as other from
        (select distinct user_id from raw.ratings where _batch = 2);
    update raw.ratings set user_id = other from dealt where _batch = 2 and ratings.user_id = dealt.user_id;
    update raw.tags set user_id = other from dealt where _batch = 2 and tags.user_id = dealt.user_id;
"""


@pytest.mark.parametrize("missing", ["", "delete from raw.tags where _batch = 2 and mod(user_id, 3) > 0;"])
def test_a_release_that_deals_its_users_anew_passes_with_warnings(bench: Bench, missing: str) -> None:
    bench.plant(DEALT_ANEW + missing)
    verdict = bench.judged()
    assert verdict.of("error") == ()
    assert "profile_ratings.kept_share" in subjects(verdict.of("warning"))


def test_less_than_half_of_the_same_users_ratings_is_a_fault(bench: Bench) -> None:
    bench.plant("delete from raw.ratings where _batch = 2 and mod(_row, 5) > 0")
    assert "profile_ratings.ratings_multiple" in subjects(bench.judged().of("error"))


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.name)
def test_a_batch_that_nobody_planned_for_is_judged_fairly(bench: Bench, odd: Odd) -> None:
    bench.plant(odd.sql)
    verdict = bench.judged()
    outcome = "stops" if verdict.of("error") else "warns" if verdict.findings else "passes"
    assert outcome == odd.outcome, verdict.summary()


def subjects(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.subject for finding in findings}
