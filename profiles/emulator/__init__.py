"""A local Snowflake emulator: fakesnow's server with what the project needs beyond it.

It proves the plumbing and the project's own logic. That Snowflake accepts the SQL is another matter: see
`nox -s check-sql`. This module imports nothing but the standard library, so that any environment can
start the emulator in another one.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "MOVIELENS"
RECORD = "statements.jsonl"  # every statement that was sent, with its role and query tag
START_SECONDS = 60
STOP_SECONDS = 20


@contextlib.contextmanager
def running(
    data_dir: Path,
    store_env: Mapping[str, str],
    *,
    timezone: str = "UTC",
    first_row: int = 1,
    python: str = sys.executable,
) -> Iterator[dict[str, str]]:
    """Run the emulator and give the environment that connects to it.

    Parameters: `data_dir`, the folder of run-time state (database files go under `emulator/` in it); `store_env`, the
    environment of the object store (S3_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, …); `timezone`, the
    account's session time zone; `first_row`, the number of a file's first data row (1, or 2 when a header counts);
    `python`, the interpreter of an environment with fakesnow.
    Raises RuntimeError, with the server's log, when it does not start within 60 seconds.
    """
    folder = data_dir.resolve() / "emulator"
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "server.log"
    command = [python, "-m", "profiles.emulator", "--data-dir", str(folder), "--timezone", timezone]
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [*command, "--first-row", str(first_row)],
            cwd=ROOT,
            env={**os.environ, **store_env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    try:
        yield connection(**_told(process, log))
    finally:
        _stop(process)


def connection(port: int, password: str) -> dict[str, str]:
    """The environment of a client of the emulator on `port`."""
    return {
        "SNOWFLAKE_ACCOUNT": "local-emulator",
        "SNOWFLAKE_USER": "EMULATOR",
        "SNOWFLAKE_PASSWORD": password,
        "SNOWFLAKE_WAREHOUSE": "MOVIELENS",
        "SNOWFLAKE_DATABASE": DATABASE,
        "SNOWFLAKE_HOST": "127.0.0.1",
        "SNOWFLAKE_PORT": str(port),
        "SNOWFLAKE_PROTOCOL": "http",
        # A proxy that the environment names must not be asked for this machine.
        "NO_PROXY": ",".join(filter(None, (os.environ.get("NO_PROXY"), "127.0.0.1"))),
    }


def _told(process: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    assert process.stdout is not None
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ)
        line = process.stdout.readline() if waiting.select(START_SECONDS) else b""
    if not line:
        _stop(process)
        raise RuntimeError(f"the emulator did not start:\n{log.read_text(errors='replace')[-2000:]}")
    told: dict[str, Any] = json.loads(line)
    return told


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
