"""Landing when it is killed, the store fails or something was altered: nothing half-visible, nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.batches.committed import committed, datasets, latest
from ingest.batches.landing import Landed, Landing, land
from ingest.errors import BatchError, IngestError, StoreError
from ingest.manifest import record_key
from ingest.settings import Settings
from ingest.store.bucket import Store
from tests.conftest import REPO
from tests.proxy import Fault, always, faulty_proxy, once
from tests.small_sources import FILES, another_bucket, content, zip_of

Lander = Callable[..., Landed]


@pytest.fixture(scope="module")
def embedded_store(embedded_store: Store) -> Store:
    """A bucket of this file's own: some of its data sets are broken for good."""
    return another_bucket(embedded_store)


def test_a_batch_without_its_manifest_is_invisible_and_then_replaced(
    lands: Lander, embedded_store: Store, dataset: str, settings: Settings, tmp_path: Path
) -> None:
    embedded_store.put(f"{dataset}/000001/movies/part-00000.csv.zst", b"half")
    embedded_store.put(f"{dataset}/000001/ratings/part-00007.csv.zst", b"landed")
    assert committed(embedded_store, dataset) == []
    assert latest(embedded_store, dataset) is None
    assert dataset not in datasets(embedded_store)
    lands(zip_of(tmp_path, FILES))
    undisturbed = another_bucket(embedded_store)
    land(Landing(dataset, zip_of(tmp_path, FILES)), undisturbed, settings)
    assert content(embedded_store, f"{dataset}/") == content(undisturbed)


KILLED = """
import os, signal, sys
from pathlib import Path
from ingest.batches.landing import Landing, land
from ingest.store.bucket import Credentials, Store
from tests.conftest import settings_in
_, url, bucket, data, dataset, source, writes, when = sys.argv
put = Store._put
def killing(self, key, *rest):
    global writes
    last = not key.endswith(".lock") and (writes := int(writes) - 1) < 0
    if last and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    put(self, key, *rest)
    if last:
        os.kill(os.getpid(), signal.SIGKILL)
Store._put = killing
keys = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
land(Landing(dataset, Path(source)), Store(bucket, url, credentials=keys), settings_in(Path(data)))
"""


@pytest.mark.parametrize(("writes", "when"), [(0, "before"), (2, "after"), (4, "before"), (4, "after")])
def test_a_landing_that_is_killed_and_run_again_leaves_the_same_store(
    embedded_store: Store, dataset: str, settings: Settings, tmp_path: Path, writes: int, when: str
) -> None:
    disturbed, undisturbed, source = (
        another_bucket(embedded_store),
        another_bucket(embedded_store),
        zip_of(tmp_path, FILES),
    )
    arguments = [disturbed.endpoint_url, disturbed.bucket, settings.data_dir, dataset, source, writes, when]
    known = disturbed.credentials()
    keys = {"AWS_ACCESS_KEY_ID": known.access_key, "AWS_SECRET_ACCESS_KEY": known.secret_key}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *map(str, arguments)], cwd=REPO, env={**os.environ, **keys, "PYTHONPATH": "."}
    )
    assert killed.returncode == -signal.SIGKILL
    is_committed = (writes, when) == (4, "after")
    assert bool(committed(disturbed, dataset)) == is_committed
    assert land(Landing(dataset, source), disturbed, settings).unchanged == is_committed
    land(Landing(dataset, source), undisturbed, settings)
    assert content(disturbed) == content(undisturbed)
    assert [path.name for path in (settings.data_dir / "landing").iterdir() if path.is_dir()] == []


@pytest.mark.parametrize(("fault", "suffix"), [("lost", "manifest.json"), ("lost", ".zst"), ("500", "manifest.json")])
def test_a_faulty_answer_makes_no_second_batch(
    embedded_store: Store, dataset: str, settings: Settings, tmp_path: Path, impatient: None, fault: Fault, suffix: str
) -> None:
    with faulty_proxy(str(embedded_store.endpoint_url), once(fault, "PUT", suffix)) as url:
        shaky = Store(embedded_store.bucket, url, credentials=embedded_store.credentials())
        assert not land(Landing(dataset, zip_of(tmp_path, FILES)), shaky, settings).unchanged
    assert [batch.batch_id for batch in committed(embedded_store, dataset)] == ["000001"]


def test_a_store_that_fails_amid_a_landing_is_named_and_nothing_is_visible(
    embedded_store: Store, dataset: str, settings: Settings, tmp_path: Path, impatient: None
) -> None:
    with faulty_proxy(str(embedded_store.endpoint_url), always("500", "PUT", "manifest.json")) as url:
        shaky = Store(embedded_store.bucket, url, credentials=embedded_store.credentials())
        with pytest.raises(StoreError, match=f"{record_key(dataset, '000001')} at {url}.*after 5 tries"):
            land(Landing(dataset, zip_of(tmp_path, FILES)), shaky, settings)
    assert committed(embedded_store, dataset) == []


@pytest.mark.parametrize(
    ("altered", "told"),
    [
        ("{", "not a valid manifest"),
        ("{}", "dataset: Field required"),
        ("a hostile key", "tables.movies.parts.0.key"),
        ("another date", "not that of its sha256"),
        ("another mode", "not that of its sha256"),
        ("another line", "not that of its sha256"),
    ],
)
def test_an_altered_manifest_is_refused_by_name(
    lands: Lander, embedded_store: Store, dataset: str, tmp_path: Path, altered: str, told: str
) -> None:
    manifest = lands(zip_of(tmp_path, FILES)).manifest
    text = manifest.model_dump_json()
    if altered == "another date":
        altered = text.replace(f"{manifest.as_of:%Y-%m-%d}", "2001-01-01")
    elif altered == "another mode":
        altered = text.replace('"mode":"full"', '"mode":"delta"', 1)
    elif altered == "another line":
        altered = text.replace('"first_line":2', '"first_line":3', 1)
    elif altered == "a hostile key":
        unsealed = manifest.model_copy(update={"sha256": None}).model_dump_json()
        altered = unsealed.replace("part-00000", "'); drop table x; --")
    assert altered != text
    embedded_store.delete(manifest.key)
    embedded_store.put(manifest.key, altered.encode())
    for read in (lambda: committed(embedded_store, dataset), lambda: latest(embedded_store, dataset)):
        with pytest.raises(BatchError, match=f"{manifest.key}.*{told}"):
            read()


def test_a_manifest_that_was_copied_to_another_batch_is_refused_by_name(
    lands: Lander, embedded_store: Store, dataset: str, tmp_path: Path
) -> None:
    manifest = lands(zip_of(tmp_path, FILES)).manifest
    copy = record_key(dataset, "000002")
    embedded_store.put(copy, embedded_store.get(manifest.key) or b"")
    with pytest.raises(BatchError, match=f"{copy}.*copied or moved"):
        committed(embedded_store, dataset)


def test_leftovers_of_killed_landings_are_removed(lands: Lander, settings: Settings, tmp_path: Path) -> None:
    stale = settings.data_dir / "landing" / "another-data-set" / "ratings"
    stale.mkdir(parents=True)
    (stale / "part").write_text("x")
    lands(zip_of(tmp_path, FILES))
    assert [path for path in (settings.data_dir / "landing").iterdir() if path.is_dir()] == []


def test_a_data_folder_that_cannot_be_written_is_named(
    embedded_store: Store, dataset: str, settings: Settings, tmp_path: Path
) -> None:
    settings.data_dir.write_text("a file in the way")
    with pytest.raises(IngestError, match=str(settings.data_dir)):
        land(Landing(dataset, zip_of(tmp_path, FILES)), embedded_store, settings)
    assert content(embedded_store, f"{dataset}/") == {}
