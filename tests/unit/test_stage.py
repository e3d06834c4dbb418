"""A run that would publish something else than it says is refused before anything is written."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from ingest.settings import Settings
from pipeline.report import Report
from pipeline.target import stage
from profiles.errors import PipelineError


@pytest.mark.parametrize("target", ["dev", "prod"])
def test_a_run_with_a_prefix_of_schemas_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    monkeypatch.setenv("MOVIELENS_SCHEMA_PREFIX", "nobody_")
    report = Report(Console(file=io.StringIO()))
    with pytest.raises(PipelineError, match="publishes the schemas without a prefix"), stage(target, settings, report):
        pass
    assert not settings.data_dir.exists()
