"""A laboratory for the whole session, with the embedded store of all suites, and the command line on it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from expectations.gate import Gate
from ingest.store.bucket import Store
from tests.conftest import Shared, settings_in
from tests.pipeline import planting
from tests.pipeline.harness import Lab, Run, quickly
from tests.pipeline.planting import Bench


@pytest.fixture(scope="session")
def new_lab(embedded_store: Store, parsed: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Lab]:
    """A laboratory with a data folder of its own."""

    def made(name: str) -> Lab:
        settings = settings_in(tmp_path_factory.mktemp(name))
        shutil.copytree(parsed, settings.data_dir / "work")
        return Lab(embedded_store, settings)

    return made


@pytest.fixture(scope="session")
def lab(new_lab: Callable[[str], Lab]) -> Lab:
    """The laboratory of nearly all tests: one data folder, one warehouse file, one dbt."""
    return new_lab("lab")


@pytest.fixture(scope="session")
def gate() -> Iterator[Gate]:
    """The gate's process, which takes seconds to start; each question brings its own environment."""
    with Gate("dev") as opened:
        yield opened


@pytest.fixture(scope="session")
def bench(request: pytest.FixtureRequest, shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A clean warehouse to plant faults in."""
    made = shared("bench", lambda folder: planting.make(request.getfixturevalue("lab"), folder))
    return Bench(made, tmp_path_factory.mktemp("bench"))


@pytest.fixture
def run(lab: Lab) -> Iterator[Run]:
    """`python -m pipeline` in this process, without tests and gate, on an empty warehouse in the lab."""
    lab.delete_warehouse()

    def invoke(*arguments: object) -> Result:
        with lab.environment():  # anew each time: a run changes it, and then ends
            return quickly(*arguments)

    yield invoke
    lab.delete_warehouse()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Gives a test its `seed`s: one, whose story holds every kind of batch, or as many as MOVIELENS_TEST_CASES says."""
    if "seed" in metafunc.fixturenames:
        cases = int(os.environ.get("MOVIELENS_TEST_CASES", "1"))
        metafunc.parametrize("seed", range(cases))
