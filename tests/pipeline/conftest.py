"""A laboratory for the whole session, with the embedded store of all suites."""

from __future__ import annotations

import os

import pytest

from ingest.store import Store
from tests.conftest import settings_in
from tests.pipeline.harness import Lab


@pytest.fixture(scope="session")
def lab(embedded_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """One data folder, one warehouse file, one dbt."""
    settings = settings_in(tmp_path_factory.mktemp("lab"))
    return Lab(embedded_store, settings)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Gives a test its `seed`s: a few, or as many as MOVIELENS_TEST_CASES says."""
    if "seed" in metafunc.fixturenames:
        cases = int(os.environ.get("MOVIELENS_TEST_CASES", "2"))
        metafunc.parametrize("seed", range(cases))
