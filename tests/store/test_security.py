"""Secrets stay where they belong, embedded services on loopback, and a manifest cannot say what it likes."""

from __future__ import annotations

import contextlib
import json
import stat
import threading
from dataclasses import dataclass
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ingest.batches.committed import read
from ingest.batches.manifest import Manifest, Source, manifest_key, schema_of
from ingest.errors import BatchError
from ingest.schema import TABLES
from ingest.store.supervisor import CERTIFICATE, read_state
from tests.faults.job import Job

SECRETS = ("access_key", "secret_key", "private_key")


@dataclass(frozen=True)
class Watched:
    """A whole job: its output, the arguments of all processes meanwhile, where its store listened, its secrets."""

    job: Job
    output: str
    arguments: set[str]
    listening: set[str]
    secrets: dict[str, str]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """A run of the job, observed twice a second."""
    job = Job(tmp_path_factory.mktemp("secrets") / "data")
    process = job.start("dev", "--ratings", "1000")
    done, output = threading.Event(), [""]

    def drain() -> None:
        output[0], _ = process.communicate(timeout=180)
        done.set()

    thread = threading.Thread(target=drain)
    thread.start()
    arguments: set[str] = set()
    listening: set[str] = set()
    state: dict[str, str] = {}
    while not done.wait(0.5) and thread.is_alive():
        arguments |= {" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])}
        state |= {name: value for name, value in read_state(job.data / "s3-run").items() if name in SECRETS}
        listening |= _listening(job.store_pids())
    thread.join()
    assert process.returncode == 0, output[0]
    state["private_key"] = (job.data / "s3-run" / CERTIFICATE).read_text().splitlines()[-3]
    return Watched(job, output[0], arguments, listening, {name: state[name] for name in SECRETS})


def _listening(pids: list[int]) -> set[str]:
    """The addresses at which processes listen."""
    addresses = set()
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            found = psutil.Process(pid).net_connections("inet")
            addresses |= {connection.laddr.ip for connection in found if connection.status == "LISTEN"}
    return addresses


def test_no_secret_is_in_a_file_but_the_one_that_keeps_it(
    watched: Watched,
) -> None:
    job, secrets = watched.job, watched.secrets
    kept = job.data / "s3-run" / CERTIFICATE
    assert not (job.data / "s3-run" / "endpoint.json").exists()
    files = [path for path in job.data.rglob("*") if path.is_file() and path != kept]
    assert any(path.name == "manifest.json" and "target" in path.parts for path in files)
    assert any(path.name == "weed.log" for path in files)
    found = [(str(path), name) for path in files for name in SECRETS[1:] if secrets[name].encode() in path.read_bytes()]
    assert found == []


def test_no_secret_is_in_the_output_or_in_the_arguments_of_a_process(
    watched: Watched,
) -> None:
    output, arguments, secrets = watched.output, watched.arguments, watched.secrets
    assert any("multiprocessing" in line for line in arguments), "the gate has a process of its own"
    assert any("weed" in line for line in arguments)
    for name, secret in secrets.items():
        assert secret not in output, name
        assert not [line for line in arguments if secret in line], name


def test_no_secret_is_in_the_objects_of_the_store(
    watched: Watched,
) -> None:
    job, secrets = watched.job, watched.secrets
    with job.store() as store:
        keys = [found.key for found in store.list()]
        assert manifest_key("sample", "000001") in keys
        for key in keys:
            assert not [name for name in SECRETS if secrets[name].encode() in (store.get(key) or b"")], key


def test_credentials_and_objects_are_readable_by_their_owner_only(
    watched: Watched,
) -> None:
    job = watched.job
    modes = {
        name: stat.S_IMODE((job.data / name).stat().st_mode) for name in ("s3-run/certificate.pem", "s3", "s3-run")
    }
    assert modes == {"s3-run/certificate.pem": 0o600, "s3": 0o700, "s3-run": 0o700}


def test_the_embedded_store_listens_on_loopback_only(
    watched: Watched,
) -> None:
    assert watched.listening == {"127.0.0.1"}


def test_a_wrong_secret_is_refused_and_not_repeated(
    watched: Watched,
) -> None:
    job = watched.job
    wrong = "wrong-secret-0123456789abcdef"
    with job.store() as store:
        url, key = str(store.endpoint_url), store.credentials().access_key
        stranger = Job(job.data, S3_ENDPOINT_URL=url, AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=wrong)
        told = stranger.fails("dev", "--ratings", "1000", "--day", "2")
    assert "access denied" in told
    assert wrong not in told


MOVIES = TABLES["movies"]
PART = "sample/000001/movies/part-00000.csv.zst"


def manifest() -> dict[str, Any]:
    """A manifest that is valid."""
    part = {"key": PART, "rows": 1, "first_line": 2, "bytes": 10, "sha256": "0" * 64}
    table = {
        "mode": "full",
        **json.loads(json.dumps(schema_of(MOVIES))),
        "source_file": MOVIES.file,
        "source_sha256": "0" * 64,
        "rows_read": 1,
        "rows_rejected": 0,
        "parts": [part],
    }
    return {
        "format_version": 2,
        "dataset": "sample",
        "batch_id": "000001",
        "as_of": "2020-01-01T00:00:00Z",
        "source": {"name": "sample"},
        "tables": {"movies": table},
    }


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """That manifest with another value somewhere."""
    whole: Any = manifest()
    inner = whole
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return dict(whole)


INJECTIONS = (
    "'); drop table raw.movies; --",
    "../../etc/passwd",
    "x'y",
    "{{ env_var('HOME') }}",
    "a\nb",
    "",
    "é",
    None,
)
PLACES: dict[str, tuple[str | int, ...]] = {
    "data set": ("dataset",),
    "batch": ("batch_id",),
    "date": ("as_of",),
    "mode": ("tables", "movies", "mode"),
    "column": ("tables", "movies", "columns", 1, "name"),
    "type": ("tables", "movies", "columns", 1, "type"),
    "key column": ("tables", "movies", "key", 0),
    "file": ("tables", "movies", "source_file"),
    "digest": ("tables", "movies", "parts", 0, "sha256"),
    "key": ("tables", "movies", "parts", 0, "key"),
    "rows": ("tables", "movies", "parts", 0, "rows"),
    "table": ("tables", "movies'; drop table raw.movies; --"),
    "an unknown field": ("surprise",),
}


def test_the_manifest_of_these_tests_is_valid() -> None:
    assert Manifest.model_validate(manifest()).key == "sample/000001/manifest.json"


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("hostile", INJECTIONS)
def test_no_manifest_brings_sql_or_a_path_of_its_own(place: str, hostile: Any) -> None:
    with pytest.raises(ValidationError):
        Manifest.model_validate_json(json.dumps(changed(PLACES[place], hostile)))


@pytest.mark.parametrize(
    "key",
    [
        "sample/000001/movies/../../../other/part-00000.csv.zst",
        "sample/000002/movies/part-00000.csv.zst",
        "other/000001/movies/part-00000.csv.zst",
        "sample/000001/ratings/part-00000.csv.zst",
        f"/{PART}",
        f"{PART}?versionId=1",
        f"{PART}\n",
        PART.replace("00000", "0000*"),
        PART.replace("00000", "٠٠٠٠٠"),
    ],
)
def test_a_part_lies_under_its_own_batch_and_table(key: str) -> None:
    with pytest.raises(ValidationError):
        Manifest.model_validate(changed(PLACES["key"], key))


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_date_that_utc_does_not_have_is_no_date(instant: str) -> None:
    with pytest.raises(ValidationError, match="outside the years"):
        Manifest.model_validate(changed(PLACES["date"], instant))


def test_the_name_of_a_folder_that_is_no_text_can_be_read_back() -> None:
    source = Source(name="caf\udce9")
    assert Source.model_validate_json(source.model_dump_json()) == source


class OneObject:
    """A store with the same content under every key."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def get(self, key: str) -> bytes:
        return self.content

    def address(self, key: str) -> str:
        return f"s3://bucket/{key}"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
VALID = json.dumps(manifest()).encode()


@st.composite
def damaged_bytes(draw: st.DrawFn) -> bytes:
    """A valid manifest with some bytes cut out and others put in."""
    start = draw(st.integers(0, len(VALID)))
    end = draw(st.integers(start, min(len(VALID), start + 40)))
    return VALID[:start] + draw(st.binary(max_size=20)) + VALID[end:]


@st.composite
def damaged_values(draw: st.DrawFn) -> bytes:
    """A manifest with any value in any place."""
    return json.dumps(changed(draw(st.sampled_from(sorted(PLACES.values(), key=str))), draw(json_values))).encode()


@given(
    st.binary(max_size=200)
    | damaged_bytes()
    | damaged_values()
    | json_values.map(lambda value: json.dumps(value).encode())
)
@hypothesis_settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_in_a_manifests_place_are_a_manifest_or_one_clear_error(content: bytes) -> None:
    try:
        found = read(OneObject(content), "sample", "000001")  # type: ignore[arg-type]
    except BatchError as error:
        assert "s3://bucket/sample/000001/manifest.json" in str(error)  # noqa: PT017
    else:
        assert found is not None
        assert found.key == "sample/000001/manifest.json"
        assert all(part.key.startswith("sample/000001/") for table in found.tables.values() for part in table.parts)
