"""The embedded store: shared, private, gone with its last user, and its content never lost."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import StoreError
from ingest.settings import Settings
from ingest.store import embedded, supervisor
from ingest.store.bucket import Taken
from tests.conftest import REPO, settings_in

USER = """
import sys, time
from pathlib import Path
from ingest.store.embedded import object_store
from tests.conftest import settings_in
with object_store(settings_in(Path(sys.argv[1])), embedded=True) as store:
    print(store.endpoint_url, flush=True)
    time.sleep(60)
"""


def run_folder(settings: Settings) -> Path:
    return settings.data_dir / "s3-run"


def pid_of_store(settings: Settings) -> int:
    return int(supervisor.read_state(run_folder(settings))["pid"])


def alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state) and not state.startswith("Z")  # a zombie waits for an init process that may be lazy


def eventually(holds: Callable[[], bool], seconds: float = 8) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def supervisor_of(pid: int) -> int:
    return int(subprocess.run(["ps", "-o", "ppid=", "-p", str(pid)], capture_output=True, check=True).stdout)


def another_user(settings: Settings) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", USER, str(settings.data_dir)]
    return subprocess.Popen(command, cwd=REPO, env={**os.environ, "PYTHONPATH": "."}, stdout=subprocess.PIPE, text=True)


def test_content_is_kept_over_a_restart(settings: Settings) -> None:
    with embedded.object_store(settings, embedded=True) as store:
        store.put("kept/x", b"content")
        pid = pid_of_store(settings)
    assert eventually(lambda: not alive(pid))
    with embedded.object_store(settings, embedded=True) as store:
        assert pid_of_store(settings) != pid
        assert store.get("kept/x") == b"content"
        with pytest.raises(Taken):
            store.put("kept/x", b"other")


def test_content_is_kept_when_everything_is_killed(settings: Settings) -> None:
    user = another_user(settings)
    assert user.stdout
    assert user.stdout.readline().startswith("http://127.0.0.1:")
    with embedded.object_store(settings, embedded=True) as store:
        for number in range(50):
            store.put(f"kept/{number}", b"content" * 1000)
    pid = pid_of_store(settings)
    for victim in (user.pid, supervisor_of(pid), pid):
        os.kill(victim, signal.SIGKILL)
    user.wait()
    with embedded.object_store(settings, embedded=True) as store:
        assert [found.bytes for found in store.list("kept/")] == [7000] * 50
        assert {store.get(f"kept/{number}") for number in range(50)} == {b"content" * 1000}


def test_the_store_is_shared_and_ends_with_its_last_user_even_a_killed_one(settings: Settings) -> None:
    user = another_user(settings)
    assert user.stdout
    url = user.stdout.readline().strip()
    with embedded.running(settings) as endpoint:
        assert endpoint.url == url
        pid = pid_of_store(settings)
    time.sleep(4 * supervisor.POLL_SECONDS)
    assert alive(pid)
    user.kill()
    user.wait()
    assert eventually(lambda: not alive(pid))
    ports = supervisor.read_state(run_folder(settings))["ports"]
    assert eventually(lambda: not [p for n in ports for p in Path("/tmp").glob(f"seaweedfs-*{n}.sock")])


def test_a_store_whose_supervisor_was_killed_does_not_stay(settings: Settings) -> None:
    with embedded.running(settings):
        orphan = pid_of_store(settings)
        minder = supervisor_of(orphan)
        os.kill(minder, signal.SIGKILL)
        assert eventually(lambda: not alive(minder))
    with embedded.object_store(settings, embedded=True) as store:
        assert not alive(orphan)
        store.put("x", b"x")


def test_users_who_come_while_it_stops_get_a_new_one(settings: Settings) -> None:
    with embedded.running(settings):
        first = pid_of_store(settings)
    time.sleep(2 * supervisor.POLL_SECONDS)
    with embedded.object_store(settings, embedded=True) as store:
        assert pid_of_store(settings) != first
        store.put("x", b"x")


@pytest.mark.parametrize("folder", ["data", "data/s3-run"])
def test_a_folder_that_was_deleted_meanwhile_and_used_anew_is_left_alone(settings: Settings, folder: str) -> None:
    with embedded.running(settings):
        pid = pid_of_store(settings)
        shutil.rmtree(settings.data_dir.parent / folder)
        run_folder(settings).mkdir(parents=True)
        others = {"ports": [1, 2, 3, 4, 5], "pid": 12345}
        supervisor.write_state(run_folder(settings), others)
    assert eventually(lambda: not alive(pid))
    time.sleep(4 * supervisor.POLL_SECONDS)
    assert supervisor.read_state(run_folder(settings)) == others


def test_the_sockets_of_a_port_that_another_store_has_by_now_are_kept() -> None:
    port = supervisor._pick_ports()[0]
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen()
        path = Path(f"/tmp/seaweedfs-test-{port}.sock")
        path.touch()
        supervisor.remove_sockets([port])
        assert path.exists()
    supervisor.remove_sockets([port])
    assert not path.exists()


def test_its_secrets_are_in_a_private_file_and_not_in_its_arguments(settings: Settings) -> None:
    with embedded.running(settings) as endpoint:
        pid = pid_of_store(settings)
        pids = f"{pid},{supervisor_of(pid)}"
        arguments = subprocess.run(
            ["ps", "-ww", "-o", "args=", "-p", pids], capture_output=True, text=True, check=True
        ).stdout
        state = supervisor.read_state(run_folder(settings))
        log = endpoint.log.read_text(errors="replace")
    for secret in ("secret_key", "signing_key"):
        assert len(state[secret]) >= 32
        assert state[secret] not in arguments + log + repr(endpoint)
    assert stat.S_IMODE((run_folder(settings) / "endpoint.json").stat().st_mode) == 0o600
    for folder in (run_folder(settings), settings.s3_dir):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_it_listens_on_loopback_only_and_serves_nothing_unsigned(settings: Settings) -> None:
    with embedded.object_store(settings, embedded=True) as store:
        store.put("private/x", b"content")
        ports = dict(zip(supervisor.SERVICES, supervisor.read_state(run_folder(settings))["ports"], strict=True))
        paths = {"filer": f"buckets/{store.bucket}/private/x", "s3": f"{store.bucket}/private/x"}
        for service, path in paths.items():
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"http://127.0.0.1:{ports[service]}/{path}", timeout=5)
            assert refused.value.code in {401, 403}
        for port in [*ports.values(), *(port + 10000 for port in ports.values())]:
            with socket.socket() as elsewhere:  # would fail if the port were taken on all addresses
                elsewhere.bind(("127.0.0.2" if sys.platform == "linux" else "::1", port))


def test_a_taken_port_is_avoided(settings: Settings) -> None:
    with embedded.running(settings):
        pid = pid_of_store(settings)
    assert eventually(lambda: not alive(pid))
    ports = supervisor.read_state(run_folder(settings))["ports"]
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", ports[2]))
        taken.listen()
        with embedded.object_store(settings, embedded=True) as store:
            store.put("x", b"x")
        assert supervisor.read_state(run_folder(settings))["ports"] != ports


def test_a_store_that_cannot_start_shows_the_end_of_its_log(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = settings.data_dir.parent / "weed"
    broken.write_text("#!/bin/sh\necho 'F1122 disk on fire' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(embedded, "_binary", lambda: broken)
    message = r"did not start.*MB are free(?s:.*)weed\.log, ends:\n  F1122 disk on fire"
    with pytest.raises(StoreError, match=message), embedded.running(settings):
        pass


def test_a_store_that_dies_in_use_is_named_with_its_log(settings: Settings, impatient: None) -> None:
    with embedded.object_store(settings, embedded=True) as store:
        os.kill(pid_of_store(settings), signal.SIGKILL)
        with pytest.raises(StoreError, match=r"no answer after 5 tries(?s:.*)weed\.log"):
            store.put("x", b"x")
    with embedded.object_store(settings, embedded=True) as store:
        store.put("x", b"x")


def test_where_there_is_no_wheel_another_store_is_suggested(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(_: str) -> Any:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "files", none)
    with pytest.raises(StoreError, match=r"not installed.*platform.*S3_ENDPOINT_URL"), embedded.running(settings):
        pass


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the way")
    settings = settings_in(tmp_path / "data")
    with pytest.raises(StoreError, match=f"{tmp_path}.*MOVIELENS_DATA_DIR"), embedded.running(settings):
        pass


def test_a_named_endpoint_is_used_and_nothing_is_started(
    embedded_store: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = embedded_store.credentials()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", known.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", known.secret_key)
    named = settings.model_copy(update={"s3_endpoint_url": embedded_store.endpoint_url})
    with embedded.object_store(named, embedded=True) as store:
        assert store.endpoint_url == embedded_store.endpoint_url
        assert store.credentials() == known
    assert not settings.data_dir.exists()
