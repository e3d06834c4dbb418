"""A laboratory for the whole session, with the embedded store of all suites, and the command line on it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from ingest.store.bucket import Store
from pipeline import target
from pipeline.__main__ import app
from tests.conftest import settings_in
from tests.pipeline.harness import Lab, OpenGate, QuickDbt, Run


@pytest.fixture(scope="session")
def lab(embedded_store: Store, parsed: Path, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """One data folder, one warehouse file, one dbt."""
    settings = settings_in(tmp_path_factory.mktemp("lab"))
    shutil.copytree(parsed, settings.data_dir / "work")
    return Lab(embedded_store, settings)


@pytest.fixture
def run(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """`python -m pipeline` in this process, without tests and expectations, on an empty warehouse in the lab."""
    monkeypatch.setattr(target, "Dbt", QuickDbt)
    monkeypatch.setattr(target, "Gate", OpenGate)
    lab.delete_warehouse()

    def invoke(*arguments: object) -> Result:
        with lab.environment():  # anew each time: a run changes it, and then ends
            return CliRunner().invoke(app, [str(argument) for argument in arguments])

    yield invoke
    lab.delete_warehouse()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Gives a test its `seed`s: a few, or as many as MOVIELENS_TEST_CASES says."""
    if "seed" in metafunc.fixturenames:
        cases = int(os.environ.get("MOVIELENS_TEST_CASES", "2"))
        metafunc.parametrize("seed", range(cases))
