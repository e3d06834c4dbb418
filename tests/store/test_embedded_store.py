"""The embedded store: shared, private, gone with its last user, and its content never lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
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
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE  # which waits for an init process that may be lazy
    except psutil.NoSuchProcess:
        return False


def eventually(holds: Callable[[], bool], seconds: float = 8) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def supervisor_of(pid: int) -> int:
    return int(psutil.Process(pid).ppid())


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
    with embedded.running(settings) as store:
        assert store.endpoint_url == url
        pid = pid_of_store(settings)
        sockets = {c.laddr for c in psutil.Process(pid).net_connections("unix") if c.laddr}
    time.sleep(4 * supervisor.POLL_SECONDS)
    assert alive(pid)
    user.kill()
    user.wait()
    assert eventually(lambda: not alive(pid))
    assert sockets
    assert eventually(lambda: not [path for path in sockets if Path(path).exists()])
    assert supervisor.read_state(run_folder(settings)) == {}


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
        others = run_folder(settings) / supervisor.STATE
        others.write_text('{"pid": 12345}')
    assert eventually(lambda: not alive(pid))
    time.sleep(4 * supervisor.POLL_SECONDS)
    assert others.read_text() == '{"pid": 12345}'


def socket_file(port: int, *, listening: bool, age: float) -> tuple[Path, socket.socket]:
    path = Path(f"/tmp/seaweedfs-test-{port}.sock")
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    if listening:
        server.listen()
    os.utime(path, (time.time() - age, time.time() - age))
    return path, server


@pytest.mark.parametrize(
    ("own", "listening", "age", "stays"),
    [
        (True, False, 0, False),
        (True, True, 0, True),
        (False, False, 0, True),
        (False, False, 3600, False),
        (False, True, 3600, True),
    ],
)
def test_sockets_of_stores_that_have_ended_are_removed_and_no_others(
    own: bool, listening: bool, age: float, stays: bool
) -> None:
    port = supervisor._pick_ports()[0]
    path, server = socket_file(port + 10000, listening=listening, age=age)
    try:
        supervisor.remove_sockets([port] if own else [])
        assert path.exists() == stays
    finally:
        server.close()
        path.unlink(missing_ok=True)


def test_its_secrets_are_in_private_files_and_not_in_its_arguments(settings: Settings) -> None:
    with embedded.running(settings) as store:
        process = psutil.Process(pid_of_store(settings))
        arguments = " ".join([*process.cmdline(), *process.parent().cmdline()])
        state = supervisor.read_state(run_folder(settings))
        log = (run_folder(settings) / embedded.LOG).read_text(errors="replace")
        for name in (supervisor.STATE, supervisor.CERTIFICATE):
            assert stat.S_IMODE((run_folder(settings) / name).stat().st_mode) == 0o600
    assert len(state["secret_key"]) >= 32
    assert state["secret_key"] not in arguments + log + repr(store.credentials())
    for folder in (run_folder(settings), settings.s3_dir):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_it_listens_on_loopback_only(settings: Settings) -> None:
    with embedded.running(settings):
        listening = [c for c in psutil.Process(pid_of_store(settings)).net_connections("inet") if c.status == "LISTEN"]
    assert {c.laddr.ip for c in listening} == {"127.0.0.1"}


def test_its_environment_has_nothing_of_its_callers(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "HTTP_PROXY",
        "S3_EXTERNAL_URL",
        "WEED_LEVELDB2_DIR",
        "PYTHONPATH",
    ):
        monkeypatch.setenv(name, "of the caller")
    with embedded.object_store(settings, embedded=True) as store:
        process = psutil.Process(pid_of_store(settings))
        assert "of the caller" not in {**process.environ(), **process.parent().environ()}.values()
        store.put("x", b"x")


SQUATTER = """#!{python}
import os, socket, sys
if not os.path.exists("squatted"):  # at the first attempt only
    open("squatted", "w").close()
    squatting = socket.socket()
    squatting.bind(("127.0.0.1", next(int(a.partition("=")[2]) for a in sys.argv if a.startswith("-s3.port="))))
    squatting.listen()
    if not os.fork():
        while True:
            taken, _ = squatting.accept()
            taken.recv(4096)
            taken.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
            taken.close()
os.execv("{weed}", ["{weed}", *sys.argv[1:]])
"""


def test_a_program_that_takes_the_port_first_is_not_taken_for_the_store(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    squatter = settings.data_dir.parent / "weed"
    squatter.write_text(SQUATTER.format(python=sys.executable, weed=embedded._binary()))
    squatter.chmod(0o755)
    monkeypatch.setattr(embedded, "_binary", lambda: squatter)
    with embedded.object_store(settings, embedded=True) as store:
        try:
            assert (settings.s3_dir / "squatted").exists()
            store.put("x", b"x")
            assert store.get("x") == b"x"
        finally:
            for process in psutil.process_iter(["cmdline"]):
                if str(squatter) in (process.info["cmdline"] or [])[1:2]:
                    process.kill()


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs an /etc of its own")
def test_what_the_machine_configures_for_another_seaweedfs_does_not_reach_it(
    settings: Settings, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "etc" / "seaweedfs").mkdir(parents=True)
    for name in supervisor.FILES:
        text = f'[leveldb2]\nenabled = true\ndir = "{elsewhere}"\n[jwt.signing]\nkey = "known"\n'
        (tmp_path / "etc" / "seaweedfs" / f"{name}.toml").write_text(text)
    other_etc = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc && exec "$@"', str(tmp_path / "etc")]
    command = [*other_etc, sys.executable, "-c", USER, str(settings.data_dir)]
    with subprocess.Popen(command, cwd=REPO, env={"PYTHONPATH": "."}, stdout=subprocess.PIPE, text=True) as user:
        assert user.stdout
        if not (told := user.stdout.readline()):
            pytest.skip("mounts are not allowed here")
        user.kill()
    assert told.startswith("http://127.0.0.1:")
    assert (settings.s3_dir / "filerldb2").is_dir() and not elsewhere.exists()


def test_a_taken_port_is_avoided(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    port = supervisor._pick_ports()[0]
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port + 10000))
        taken.listen()
        monkeypatch.setattr(supervisor, "PORTS", [*range(20000, 20004), port, *range(20004, 20100)])
        drawn = [supervisor._pick_ports() for _ in range(50)]
    assert port not in {number for ports in drawn for number in ports}


@pytest.mark.parametrize(
    "planted",
    [
        b"[]",
        b"text",
        b"\xff\xfe",
        b"",
        b'{"pid": "1", "port": 99999, "secret_key": "known"}',
        b'{"pid": 1e300, "port": []}',
    ],
)
def test_a_state_file_that_lay_there_is_not_believed(settings: Settings, planted: bytes) -> None:
    run_folder(settings).mkdir(parents=True, mode=0o700)
    (run_folder(settings) / supervisor.STATE).write_bytes(planted)
    (run_folder(settings) / supervisor.CERTIFICATE).write_bytes(planted)
    with embedded.object_store(settings, embedded=True) as store:
        store.put("x", b"x")
        assert store.credentials().secret_key != "known"


@pytest.mark.parametrize("lines", [slice(0, 5), slice(5, None), slice(0, -3)])
def test_half_a_certificate_is_replaced(tmp_path: Path, lines: slice) -> None:
    path = tmp_path / "certificate.pem"
    supervisor._make_certificate(path)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[lines]))
    with pytest.raises(OSError, match="PEM"):
        supervisor.ssl.create_default_context().load_cert_chain(path)
    supervisor._identity(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_process_that_a_state_file_names_is_left_alone_unless_it_is_a_store_of_this_folder(
    settings: Settings,
) -> None:
    settings.s3_dir.mkdir(parents=True, mode=0o700)
    run_folder(settings).mkdir(mode=0o700)
    with subprocess.Popen(["sleep", "60"], cwd=settings.s3_dir) as innocent:
        (run_folder(settings) / supervisor.STATE).write_text(json.dumps({"pid": innocent.pid}))
        with embedded.running(settings):
            assert innocent.poll() is None
        innocent.kill()


@pytest.mark.parametrize("folder", ["s3", "s3-run"])
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_in_which_others_can_write_is_refused(settings: Settings, folder: str, mode: int) -> None:
    seeded = settings.data_dir / folder
    seeded.mkdir(parents=True)
    seeded.chmod(mode)
    with pytest.raises(StoreError, match=rf"Others can write in .*{folder}"), embedded.running(settings):
        pass


@pytest.mark.parametrize("name", ["~Acme, Inc", "-C# 100% a=b;c&$HOME'\"", "données"])
def test_it_works_and_leaves_no_orphan_in_a_folder_of_any_name_on_a_bare_machine(tmp_path: Path, name: str) -> None:
    settings = settings_in(tmp_path / name / "data")
    bare = {"LC_ALL": "C", "PATH": "", "PYTHONPATH": "."}  # no locale, no ps
    command = [sys.executable, "-c", USER, str(settings.data_dir)]
    pids = []
    for _ in range(2):
        with subprocess.Popen(command, cwd=REPO, env=bare, stdout=subprocess.PIPE, text=True) as user:
            assert user.stdout
            assert user.stdout.readline().startswith("http://127.0.0.1:")
            pids.append(pid_of_store(settings))
            minder = supervisor_of(pids[-1])
            os.kill(minder, signal.SIGKILL)
            user.kill()
            assert eventually(lambda: not alive(minder))  # noqa: B023 - it is called at once
    assert not alive(pids[0])
    with embedded.object_store(settings, embedded=True) as store:
        store.put("x", b"x")
    assert not alive(pids[1])
    assert eventually(lambda: not (run_folder(settings) / supervisor.STATE).exists())
    assert [path.name for path in (tmp_path / name).iterdir()] == ["data"]


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
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
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
