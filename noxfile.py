"""The only entry: `nox -l` lists the sessions, each a sentence. Sessions pass what follows `--` on."""

from __future__ import annotations

import hashlib
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["dev"]

LOCKS = {
    "dev": ["dev"],
    "notebooks": ["dev", "notebooks"],
    "prod": ["prod"],
    "emulator": ["emulator"],
    "test": ["dev", "notebooks", "test"],
    "test-emulator": ["emulator", "test"],
    "lint": ["dev", "lint", "test"],
}
QUIET = {
    "DBT_PROJECT_DIR": "transform",
    "DBT_PROFILES_DIR": "profiles",
    "GX_ANALYTICS_ENABLED": "false",
    "PYTHONUTF8": "1",
}


def install(session: nox.Session, lock: str) -> None:
    """Installs a lock with its hashes, unless the environment holds just that already."""
    path = Path("locks", f"{lock}.txt")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    mark = Path(session.virtualenv.location, ".installed")
    if not mark.exists() or mark.read_text() != digest:
        session.install("--no-deps", "--require-hashes", "-r", str(path))
        mark.write_text(digest)
    session.env.update(QUIET)


@nox.session
def dev(session: nox.Session) -> None:
    """The whole job on a laptop: land, load into DuckDB, build, test and check. `-- --help` lists the options."""
    install(session, "dev")
    session.run("python", "-m", "pipeline", "dev", *session.posargs)


@nox.session
def land(session: nox.Session) -> None:
    """Land one batch and build nothing; the next `nox -s dev` applies it."""
    install(session, "dev")
    session.run("python", "-m", "pipeline", "land", *session.posargs)


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Compile the locks anew from pyproject.toml, with hashes and without index addresses."""
    session.install("uv")
    for name, groups in LOCKS.items():
        session.run(
            "uv", "pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes", "--quiet",
            "--no-emit-index-url", "--custom-compile-command", "nox -s lock", *session.posargs,
            *(f"--group={group}" for group in groups), "--output-file", f"locks/{name}.txt", "pyproject.toml",
        )  # fmt: skip
