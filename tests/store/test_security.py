"""Secrets stay where they belong, and embedded services on loopback."""

from __future__ import annotations

import contextlib
import stat
import threading
from dataclasses import dataclass

import psutil
import pytest

from ingest.manifest import record_key
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
        assert record_key("sample", "000001") in keys
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
