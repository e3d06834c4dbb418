"""The embedded store's supervisor: one small process that runs SeaweedFS as long as somebody uses it.

Users hold a shared lock on `users.lock`; the kernel drops it however they end. When the supervisor gets that lock
alone, nobody is left, and it stops the store. Run by `ingest.store.embedded`; only the standard library, to start fast.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Each service also listens on its port + 10000; both ranges lie below the ports that systems deal out by themselves.
PORTS = range(20000, 22700)
SERVICES = ("master", "volume", "filer", "s3", "admin")
START_SECONDS, STOP_SECONDS, POLL_SECONDS = 30.0, 1.0, 0.05
# A volume server whose first heartbeat comes before the master leads sends the next one after five seconds.
HEARTBEAT_SECONDS = 0.5
# By default it listens on all addresses, reports statistics to its makers, and resumes the state of its master: one
# that remembers volumes when it becomes the leader lets the first write wait for 15 to 20 s, in case other servers come.
OPTIONS = (
    "-ip=127.0.0.1",
    "-ip.bind=127.0.0.1",
    "-master.telemetry=false",
    "-master.resumeState=false",
    "-s3.autoCreateBucket=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-webdav=false",
    "-admin.ui=false",
    "-volume.preStopSeconds=0",
)
EMPTY_VOLUME = 8  # bytes: its superblock


def read_state(run: Path) -> dict[str, Any]:
    """What `endpoint.json` says: credentials, signing keys, ports, and `pid` of the store (None: it does not run)."""
    try:
        state: dict[str, Any] = json.loads((run / "endpoint.json").read_text())
        return state
    except (FileNotFoundError, ValueError):
        return {}


def write_state(run: Path, state: dict[str, Any]) -> None:
    """Writes `endpoint.json`, readable by its owner only."""
    new = run / "endpoint.json.new"
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(state, file)
    new.replace(run / "endpoint.json")


def remove_sockets(ports: list[int]) -> None:
    """Removes the sockets that SeaweedFS leaves in the temporary folder, unless another store has the port by now."""
    for port in filter(_free, ports):
        for number in (port, port + 10000):
            for path in Path("/tmp").glob(f"seaweedfs-*-{number}.sock"):  # noqa: S108 - where SeaweedFS puts them
                path.unlink(missing_ok=True)


def supervise(s3_dir: Path, run: Path, weed: str) -> int:
    """Starts the store, writes its endpoint down, and stops it when its last user has left; the exit code."""
    end = time.monotonic() + START_SECONDS  # of all attempts: whoever started this waits a little longer
    folder = os.open(run, os.O_RDONLY)  # held open, or its number could be given to another
    for patience in (HEARTBEAT_SECONDS, HEARTBEAT_SECONDS, START_SECONDS):
        state = read_state(run)
        ports = state.get("ports") or []
        if len(ports) != len(SERVICES) or not all(map(_free, ports)):
            ports = _pick_ports()
        write_state(run, {**state, "ports": ports, "pid": None})
        store = _start(s3_dir, weed, ports, state)
        try:
            if _wait_ready(store, s3_dir, dict(zip(SERVICES, ports, strict=True)), patience, end):
                write_state(run, {**state, "ports": ports, "pid": store.pid})
                return _until_unused(store, run)
            failed = store.poll() is not None
        finally:
            with contextlib.suppress(OSError):  # whoever deletes the folder wants no store to stay behind
                if os.path.samestat(run.stat(), os.fstat(folder)):  # and may have a new one there already
                    write_state(run, {**state, "ports": ports, "pid": None})
            _stop_child(store)
            remove_sockets(ports)
        if failed and all(map(_free, ports)):
            break  # it was not for a taken port
    return 1


def _start(s3_dir: Path, weed: str, ports: list[int], state: dict[str, Any]) -> subprocess.Popen[bytes]:
    arguments = [f"-{service}.port={port}" for service, port in zip(SERVICES, ports, strict=True)]
    # Without signing keys, filer and volume server would serve every local user without credentials.
    keys = ("SIGNING_KEY", "SIGNING_READ_KEY", "FILER_SIGNING_KEY", "FILER_SIGNING_READ_KEY")
    return subprocess.Popen(
        [weed, "-logtostderr=true", "mini", f"-dir={s3_dir}", *OPTIONS, *arguments],
        cwd=s3_dir,
        env={
            "PATH": os.defpath,
            "HOME": str(s3_dir),
            "GOMEMLIMIT": "512MiB",
            "AWS_ACCESS_KEY_ID": state["access_key"],
            "AWS_SECRET_ACCESS_KEY": state["secret_key"],
            **{f"WEED_JWT_{key}": state["signing_key"] for key in keys},
        },
    )


def answers(port: int, path: str = "/") -> int:
    """The status with which an HTTP server on a port of loopback answers; 0 if none does."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
    except (OSError, http.client.HTTPException):
        return 0
    return status


def _wait_ready(
    store: subprocess.Popen[bytes], s3_dir: Path, ports: dict[str, int], patience: float, end: float
) -> bool:
    # S3 may answer before the master knows where the volumes are, and then fails to read an object.
    filled = [path for path in s3_dir.glob("*.dat") if path.stat().st_size > EMPTY_VOLUME]
    unknown = [f"/dir/lookup?volumeId={path.stem.rpartition('_')[2]}" for path in filled]
    heard = None
    for _ in polls(end - time.monotonic()):
        if store.poll() is not None:
            return False
        if answers(ports["s3"]):
            heard = heard or time.monotonic()
            unknown = [path for path in unknown if answers(ports["master"], path) != 200]
            if not unknown:
                return True
            if time.monotonic() > heard + patience:
                break
    # A volume that is damaged stays unknown: it is named by the reads of its objects.
    return (patience == START_SECONDS or time.monotonic() >= end) and bool(answers(ports["s3"]))


def _until_unused(store: subprocess.Popen[bytes], run: Path) -> int:
    users = os.open(run / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
    while store.poll() is None:
        with contextlib.suppress(BlockingIOError):
            # Held until this process ends: whoever comes now waits, and then starts the store anew.
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return 0
        time.sleep(POLL_SECONDS)
    return 1


def _stop_child(store: subprocess.Popen[bytes]) -> None:
    store.terminate()
    try:
        store.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        store.kill()  # what the store has acknowledged is in its files by then
        store.wait()


def _pick_ports() -> list[int]:
    return next(ports for ports in iter(lambda: random.sample(PORTS, len(SERVICES)), None) if all(map(_free, ports)))


def _free(port: int) -> bool:
    try:
        for number in (port, port + 10000):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", number))
    except OSError:
        return False
    return True


def polls(seconds: float) -> Iterator[None]:
    """One turn every few hundredths of a second, for so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    if os.fork():  # its starter may end first, and must not keep a zombie
        os._exit(0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(supervise(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
