"""A source that is stale, by the as-of of its newest batch, is reported by runs and by dbt alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.dbt import _close_file
from pipeline.runs import read
from tests.pipeline.harness import Lab, Run
from tests.pipeline.test_publish import batch

# The batches of these tests are as of days in 2015.
CASES = (
    ("30", "the newest batch is as of 2015-01-02, more than 30 days ago", "warn"),
    ("100000", "", "pass"),
    ("", "", None),
)


def test_what_is_older_than_the_setting_is_stale_for_the_run_and_for_dbt(
    lab: Lab, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dbt.cli.main import dbtRunner

    dataset, found = lab.new_dataset(), tmp_path / "sources.json"
    lab.manifest(dataset, batch(1))
    for days, said, _ in CASES:
        monkeypatch.setenv("MOVIELENS_STALE_AFTER_DAYS", days)
        done = run("dev", dataset, "--no-land")  # the first one builds; to the others nothing is new
        assert done.exit_code == 0, done.output
        assert read(lab.settings.data_dir / "runs")[0]["stale"] == said, days
    for days, _, status in CASES:
        monkeypatch.setenv("MOVIELENS_STALE_AFTER_DAYS", days)
        with lab.environment():
            dbtRunner().invoke(["--quiet", "source", "freshness", "--output", str(found)])
            _close_file()
        statuses = {each["unique_id"]: each["status"] for each in json.loads(found.read_text())["results"]}
        assert statuses.get("source.movielens.raw.batches") == status, days
