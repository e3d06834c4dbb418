"""Every run leaves one record, whatever became of it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.dbt import Node
from pipeline.report import Report
from pipeline.runs import Run, read, recorded, slowest
from pipeline.templates import render
from profiles.errors import PipelineError


def test_a_good_run_is_recorded_with_its_steps_nodes_and_batches(tmp_path: Path) -> None:
    report = Report(Console(file=io.StringIO()))
    run = report.run
    with recorded(run, tmp_path):
        with report.step("load 000001"):
            run.batches.append("000001")
        run.nodes += [Node("fact_ratings", "model", "success", 1.5, 7), Node("unique", "test", "pass", 0.1, None)]
        run.outcome = "published"
    (record,) = read(tmp_path)
    assert record["outcome"] == "published"
    assert record["batches"] == ["000001"]
    assert [name for name, _ in record["steps"]] == ["load 000001"]
    assert record["nodes"][0] == {
        "name": "fact_ratings", "kind": "model", "status": "success", "seconds": 1.5, "rows": 7,
    }  # fmt: skip
    assert record["tests"] == 1
    assert len(record["git_commit"]) in (0, 40)
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("error", "outcome"), [(PipelineError("the gate is closed"), "failed"), (KeyboardInterrupt(), "stopped")]
)
def test_a_run_that_ends_badly_is_recorded_with_the_step_it_was_in(
    tmp_path: Path, error: BaseException, outcome: str
) -> None:
    report = Report(Console(file=io.StringIO()))
    with pytest.raises(type(error)), recorded(report.run, tmp_path), report.step("mart gate"):
        raise error
    (record,) = read(tmp_path)
    assert record["outcome"] == outcome
    assert record["error"] == str(error)
    assert record["steps"][-1][0] == "mart gate"


def test_a_run_that_was_killed_says_so(tmp_path: Path) -> None:
    killed = (
        "import os, pathlib, sys; from pipeline.runs import *\n"
        "with recorded(Run('dev', 'dev'), pathlib.Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", killed, str(tmp_path)], check=False)
    (record,) = read(tmp_path)
    assert record["outcome"] == "killed"


def test_a_killed_run_is_not_taken_for_a_later_process_with_its_number(tmp_path: Path) -> None:
    Run("dev", "dev", started_at=datetime.now(UTC) - timedelta(days=30)).write(tmp_path)
    assert [record["outcome"] for record in read(tmp_path)] == ["killed"]


def test_a_run_that_goes_on_is_running(tmp_path: Path) -> None:
    with recorded(Run("dev", "dev"), tmp_path):
        assert [record["outcome"] for record in read(tmp_path)] == ["running"]


def test_the_newest_run_comes_first_and_a_broken_record_hides_no_other(tmp_path: Path) -> None:
    for number in range(3):
        run = Run("dev", "dev")
        run.batches.append(str(number))
        with recorded(run, tmp_path):
            pass
    (tmp_path / "0broken.json").write_text("{")
    assert [record["batches"] for record in read(tmp_path)] == [["2"], ["1"], ["0"]]


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("in the way")
    with recorded(Run("dev", "dev"), tmp_path / "runs"):
        pass


def test_a_record_holds_no_setting_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t")
    with recorded(Run("dev", "dev"), tmp_path):
        pass
    assert "s3cr3t" not in json.dumps(read(tmp_path))
    assert os.getpid() == read(tmp_path)[0]["process"]


def test_what_takes_the_time_is_held_against_what_it_took_before(tmp_path: Path) -> None:
    for seconds in (1.0, 3.0, 9.0):
        run = Run("dev", "dev")
        run.nodes += [
            Node("fact_ratings", "model", "success", seconds, None),
            Node("quick", "model", "success", 0.1, None),
        ]
        with recorded(run, tmp_path):
            pass
    first, second = slowest(read(tmp_path))
    assert (first["name"], first["seconds"], first["before"]) == ("fact_ratings", 9.0, 2.0)
    assert second["name"] == "quick"
    assert "9.00" in render("site/runs.html", runs=read(tmp_path), slowest=[first, second])


def test_an_error_with_markup_is_text_on_the_page(tmp_path: Path) -> None:
    run = Run("dev", "dev")
    with pytest.raises(PipelineError), recorded(run, tmp_path):
        raise PipelineError("<script>alert(1)</script>")
    assert "<script>alert" not in render("site/runs.html", runs=read(tmp_path), slowest=[])
