"""Releases that deal their users anew, one after another, from landing to gate: no fault, whatever their size."""

from __future__ import annotations

import csv
import zipfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from expectations.connection import Warehouse
from expectations.verdict import Verdict
from ingest.schema import TABLES
from ingest.sources.sample.generate import generate
from tests.pipeline.harness import Batch, Lab, MeasuringDbt
from tests.pipeline.relations import Row

Release = Mapping[str, Sequence[Row]]
START = datetime(2021, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.filterwarnings("ignore:`schema_name` is deprecated")


def read(folder: Path) -> Release:
    """The rows of each file of a release."""
    rows = {}
    for table in TABLES.values():
        for path in folder.rglob(table.file):
            with path.open(encoding="utf-8", newline="") as file:
                rows[table.name] = [tuple(row) for row in csv.reader(file)][1:]
    return rows


def dealt_anew(release: Release, times: float, random: Random) -> Release:
    """The same movies; users drawn from those of a release, `times` as many, under other numbers."""
    of_user: dict[str, dict[object, list[Row]]] = {}
    for table in ("ratings", "tags"):
        of_user[table] = defaultdict(list)
        for user, *rest in release[table]:
            of_user[table][user].append(tuple(rest))
    users = sorted(of_user["ratings"], key=str)
    drawn = random.choices(users, k=round(len(users) * times))
    dealt = {
        table: [(number, *row) for number, user in enumerate(drawn, 1) for row in rows[user]]
        for table, rows in of_user.items()
    }
    return {**release, **dealt}


@pytest.fixture
def release(request: pytest.FixtureRequest, tmp_path: Path) -> Release:
    if request.param == "sample":
        generate(tmp_path, ratings=10_000)
    else:
        archive = request.getfixturevalue("releases_folder") / "ml-latest-small.zip"
        with zipfile.ZipFile(archive) as file:
            file.extractall(tmp_path)
    return read(tmp_path)


@pytest.fixture
def judged(lab: Lab, tmp_path: Path) -> Callable[[Release], Verdict]:
    """Lands a release after those before it, builds, and judges it."""
    from expectations.judge import judge

    dataset, landed = lab.new_dataset(), []

    def follow(release: Release) -> Verdict:
        as_of = START + timedelta(days=len(landed))
        landed.append(lab.manifest(dataset, Batch(as_of, release)).batch_id)
        lab.apply(dataset, dbt=MeasuringDbt("dev"))
        return judge(Warehouse(lab.settings.warehouse), tmp_path / "results", landed[-1:])

    return follow


@pytest.mark.parametrize("release", ["sample", "real"], indirect=True)
def test_four_releases_that_deal_users_anew_pass_and_a_broken_one_does_not(
    release: Release, judged: Callable[[Release], Verdict]
) -> None:
    random = Random(7)
    for times in (1, 0.2, 5, 0.6):
        verdict = judged(dealt_anew(release, times, random))
        assert verdict.of("error") == (), f"{times} times as many users"
    assert verdict.of("warning"), "that few of the former ratings are there is said"
    broken = dict(dealt_anew(release, 0.6, random))
    broken["ratings"] = [
        (user, movie, min(float(str(stars)) + 0.5, 5), at) for user, movie, stars, at in broken["ratings"]
    ]
    assert not judged(broken).passed
