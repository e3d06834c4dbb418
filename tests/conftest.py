"""What suites share: one embedded object store, a data set of its own for each test, and the real releases."""

from __future__ import annotations

import os
import shutil
import signal
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import hypothesis
import pytest
from filelock import FileLock

from ingest.batches.landing import Landed, Landing, land
from ingest.settings import Settings
from ingest.store.bucket import Store
from ingest.store.embedded import object_store
from pipeline.dbt import Dbt
from profiles.environment import built

Shared = Callable[[str, Callable[[Path], object]], Path]

REPO = Path(__file__).parents[1]
# What dbt has read is of use where its profile comes out alike: a run is in the file's folder, and gives only its name.
AS_IN_A_RUN = {"MOVIELENS_DBT_PATH": "warehouse.duckdb"}

# No example has to be quick: on a busy machine, any may take more than the 200 ms that are the default.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

# A shell lets what it starts in the background ignore Ctrl-C, and so would every run that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long go first, so that no worker is left with one in the end: parity, then few tests."""
    tests = Counter(item.path for item in items)
    parity = {item.path for item in items if "parity" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: (item.path not in parity, tests[item.path], item.path))


def settings_in(data_dir: Path) -> Settings:
    """Settings for a data folder and the embedded store, whatever the environment says."""
    return Settings(MOVIELENS_DATA_DIR=data_dir, S3_ENDPOINT_URL=None, S3_BUCKET="movielens")  # type: ignore[call-arg]


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """A test's own: a command that is called in this process puts a run's environment in its place."""
    with mock.patch.dict(os.environ):
        yield


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """`shared(name, make)`: a folder that the first worker to need it makes, and that all others only read."""
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, half = root / name, root / f"half of {name}"
        with FileLock(root / f"{name}.lock"):
            if not folder.exists():
                shutil.rmtree(half, ignore_errors=True)
                half.mkdir()
                make(half)
                half.rename(folder)
        return folder

    return made


@pytest.fixture(scope="session")
def parsed(shared: Shared) -> Path:
    """The folder `work` of a data folder in which dbt has read the project, for 4 s: to be copied, never changed."""

    def read(folder: Path) -> None:
        with mock.patch.dict(os.environ, built(os.environ, settings_in(folder)) | AS_IN_A_RUN):
            Dbt("dev")._parse()

    return shared("parsed", read) / "work"


@pytest.fixture(scope="session")
def embedded_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The embedded store, started once for all tests that ask for it."""
    with object_store(settings_in(tmp_path_factory.mktemp("store")), embedded=True) as store:
        yield store


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with an empty data folder of the test's own."""
    return settings_in(tmp_path / "data")


@pytest.fixture
def dataset() -> str:
    """The name of a data set that no other test uses."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries at once: as often as ever, without the pauses between."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)


@pytest.fixture(scope="session")
def releases_folder() -> Path:
    """The folder with real GroupLens archives: MOVIELENS_TEST_RELEASES, or `../shared/data` beside the repository."""
    folder = Path(os.environ.get("MOVIELENS_TEST_RELEASES") or REPO.parent / "shared" / "data")
    if not (folder / "ml-latest-small.zip").exists():
        pytest.skip(f"no ml-latest-small.zip in {folder}: set MOVIELENS_TEST_RELEASES")
    return folder


@pytest.fixture
def lands(embedded_store: Store, settings: Settings, dataset: str) -> Callable[..., Landed]:
    """Lands a source in a data set of the test's own."""
    return lambda source, **options: land(Landing(dataset, source, **options), embedded_store, settings)
