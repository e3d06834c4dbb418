"""A run that would publish something else than it says is refused before anything is written."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from ingest.settings import Settings
from pipeline import diff
from pipeline.report import Report
from pipeline.target import only_writer, run_context
from profiles.errors import PipelineError


@pytest.mark.parametrize("target", ["dev", "prod"])
def test_a_run_with_a_prefix_of_schemas_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    monkeypatch.setenv("MOVIELENS_SCHEMA_PREFIX", "nobody_")
    report = Report(Console(file=io.StringIO()))
    with (
        pytest.raises(PipelineError, match="publishes the schemas without a prefix"),
        run_context(target, settings, report),
    ):
        pass
    with pytest.raises(PipelineError, match="publishes the schemas without a prefix"):
        diff.run("main", None, settings, report)
    assert not settings.data_dir.exists()


def test_a_run_with_a_role_that_would_own_what_it_publishes_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNOWFLAKE_ROLE", "sysadmin")
    report = Report(Console(file=io.StringIO()))
    with pytest.raises(PipelineError, match="SNOWFLAKE_ROLE is sysadmin"), run_context("prod", settings, report):
        pass
    assert not settings.data_dir.exists()


def test_a_run_with_another_data_folder_and_the_same_warehouse_is_refused(tmp_path: Path) -> None:
    first, second, other = (
        Settings(MOVIELENS_DATA_DIR=tmp_path / folder, MOVIELENS_WAREHOUSE=tmp_path / file)  # type: ignore[call-arg]
        for folder, file in (("one", "shared.duckdb"), ("two", "shared.duckdb"), ("two", "other.duckdb"))
    )
    with only_writer(first, "dev", "the warehouse"):
        with pytest.raises(PipelineError, match=r"Another run is writing to the warehouse .*shared\.lock"):
            only_writer(second, "dev", "the warehouse").__enter__()
        with only_writer(other, "dev", "the warehouse"):
            pass
    with only_writer(second, "dev", "the warehouse"):
        pass


def test_a_second_diff_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    settings = Settings(MOVIELENS_DATA_DIR=tmp_path)  # type: ignore[call-arg]
    with only_writer(settings, "diff", "the folder"), pytest.raises(PipelineError, match=r"Another run .*diff"):
        diff.run("main", None, settings, Report(Console(file=io.StringIO())))
