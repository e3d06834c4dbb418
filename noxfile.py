"""All commands of the project: `nox -l` lists them. What follows `--` is passed on to the command."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["dev"]

# Dev and Snowflake's emulator need different versions of DuckDB: each session installs one compiled lock.
LOCKS = {
    "dev": ["dev"],
    "notebooks": ["dev", "notebooks"],
    "lab": ["dev", "notebooks", "lab"],
    "prod": ["prod"],
    "prod-notebooks": ["notebooks-on-snowflake", "lab"],
    "emulator": ["emulator", "notebooks-on-snowflake", "test"],
    "test": ["dev", "notebooks", "test"],
    "lint": ["dev", "notebooks", "test", "lint"],
    "nox": ["nox"],
}
# A test file stays on one worker, whose store and warehouses its tests share; most tests wait for processes.
# tests/conftest.py puts the files in order.
PARALLEL = ("--numprocesses", "3", "--dist", "loadfile", "--no-loadscope-reorder")
# Variables that act on a tool before the project's own code runs; profiles/environment.py drops the rest.
ENVIRONMENT: dict[str, str | None] = {
    **{name: None for name in os.environ if name.startswith(("PYTHON", "DBT_", "GX_")) or name == "FORCE_COLOR"},
    "DBT_PROJECT_DIR": "transform",
    "DBT_PROFILES_DIR": "profiles",
    "DBT_TARGET_PATH": str(Path("data", "work", "dbt", "target").absolute()),
    "DBT_LOG_PATH": str(Path("data", "work", "dbt", "logs").absolute()),
    "GX_ANALYTICS_ENABLED": "false",
}


def install(session: nox.Session, lock: str) -> None:
    """Installs a lock with its hashes, unless the environment holds just that already."""
    path = Path("locks", f"{lock}.txt")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    mark = Path(session.virtualenv.location, "installed-lock")
    if not mark.exists() or mark.read_text() != digest:
        session.install("--no-deps", "--require-hashes", "-r", str(path))
        mark.write_text(digest)
    # The project's packages are found from any folder: by a notebook's kernel, and by dbt that is called by hand.
    (packages,) = Path(session.virtualenv.location).glob("lib/python*/site-packages")
    # Python 3.11 reads the file in the locale's encoding, so the path is written in ASCII.
    path, here = packages / "movielens.pth", f"import sys; sys.path.append({str(Path.cwd())!a})\n"
    if not path.exists() or path.read_text() != here:
        path.write_text(here)
    session.env.update(ENVIRONMENT)


def run(session: nox.Session, lock: str, *module: str, **environment: str) -> None:
    """Runs a module of the project, with what follows `--`, in the environment of a lock."""
    install(session, lock)
    session.run("python", "-m", *module, *session.posargs, env=environment)


def on_target(lock: str) -> str:
    """The lock for looking at the marts of the target that MOVIELENS_TARGET names."""
    return lock if os.environ.get("MOVIELENS_TARGET") in (None, "", "dev") else "prod-notebooks"


@nox.session
def dev(session: nox.Session) -> None:
    """The whole job on a laptop: land, load into DuckDB, build, test, judge, publish (`-- --help`: its options)."""
    run(session, "dev", "pipeline", "dev")


@nox.session(default=False)
def land(session: nox.Session) -> None:
    """Land one batch and build nothing (`-- DATASET --source PATH`), or take one back (`-- DATASET --withdraw ID`)."""
    run(session, "dev", "pipeline", "land")


@nox.session(default=False)
def replay(session: nox.Session) -> None:
    """Replay a data set by event time in micro-batches (`-- sample --batches 10`) and measure their latency."""
    run(session, "dev", "pipeline", "replay")


@nox.session(default=False)
def prod(session: nox.Session) -> None:
    """The same job on Snowflake (`-- --emulator`: on a local stand-in; `-- --bootstrap`: set up an account)."""
    options = [option for option in session.posargs if option != "--bootstrap"]
    install(session, "emulator" if "--emulator" in options else "prod")
    session.run("python", "-m", "pipeline", "prod" if options == session.posargs else "bootstrap", *options)


@nox.session(default=False)
def parity(session: nox.Session) -> None:
    """Build both targets from the same batches and compare marts and history (`-- --real`: no emulator)."""
    options = [option for option in session.posargs if option != "--real"]
    install(session, "dev")
    session.run("python", "-m", "pipeline", "dev", *options)
    session.notify("parity-with-snowflake", ["--real"] if "--real" in session.posargs else [])


@nox.session(name="parity-with-snowflake", default=False)
def parity_with_snowflake(session: nox.Session) -> None:
    """The second half of `parity`: bring Snowflake, or its emulator, to the same batches and compare."""
    real = "--real" in session.posargs
    install(session, "prod" if real else "emulator")
    session.run("python", "-m", "pipeline", "parity", *([] if real else ["--emulator"]))


@nox.session(default=False)
def diff(session: nox.Session) -> None:
    """Show what your changes to the dbt project do to the data, beside a git ref (`-- --base REF`; default: main)."""
    run(session, "dev", "pipeline", "diff")


@nox.session(default=False)
def runs(session: nox.Session) -> None:
    """List the newest runs: what they applied, how long it took, what failed (`-- --last 50`)."""
    run(session, "dev", "pipeline", "runs")


@nox.session(default=False)
def notebooks(session: nox.Session) -> None:
    """Execute the notebooks on the current warehouse and render them."""
    run(session, on_target("notebooks"), "pipeline", "notebooks")


@nox.session(default=False)
def lab(session: nox.Session) -> None:
    """Open Jupyter on the marts."""
    run(session, on_target("lab"), "pipeline", "lab")


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Build the documentation site in `site/` (`-- --serve` shows it in a browser on this machine)."""
    run(session, on_target("notebooks"), "pipeline", "docs")


@nox.session(default=False)
def unit(session: nox.Session) -> None:
    """The tests that need no store, no dbt and no Great Expectations: quick enough to run after every edit."""
    run(session, "test", "pytest", *PARALLEL, "tests/unit")


@nox.session(default=False)
def tests(session: nox.Session) -> None:
    """All tests, the Snowflake side in an environment of its own."""
    run(session, "test", "pytest", *PARALLEL, "--ignore=tests/snowflake")
    if not session.posargs:
        session.notify("tests-of-snowflake")


@nox.session(name="tests-of-snowflake", default=False)
def tests_of_snowflake(session: nox.Session) -> None:
    """Only the tests of the Snowflake side; `tests` runs them too."""
    install(session, "emulator")
    other = Path(".nox/tests/bin/python")  # parity builds the DuckDB side in the environment of `tests`
    environment = {"MOVIELENS_DEV_PYTHON": str(other.absolute())} if other.exists() else {}
    session.run("python", "-m", "pytest", *PARALLEL, *(session.posargs or ["tests/snowflake"]), env=environment)


@nox.session(name="check-sql", default=False)
def check_sql(session: nox.Session) -> None:
    """Say whether Snowflake would take SQL files (`-- PATH…`); without a path, all SQL that the project sends."""
    install(session, "emulator")
    if session.posargs:
        session.run("python", "-m", "tests.snowflake.check_sql", *session.posargs)
        return
    folder = Path(session.create_tmp()).absolute()
    shutil.rmtree(folder)
    job = ("prod", "sample", "--day", "2", "--ratings", "2000", "--emulator")
    session.run("python", "-m", "pipeline", *job, env={"MOVIELENS_DATA_DIR": str(folder)})
    sent = folder / "emulator" / "statements.jsonl"
    session.run("python", "-m", "tests.snowflake.check_sql", str(sent), "docs/production.md")


@nox.session(default=False)
def faults(session: nox.Session) -> None:
    """The fault tests in full: kills at more than fifty seeded points, damaged files, a store that misbehaves."""
    run(session, "test", "pytest", "tests/faults", "-m", "", MOVIELENS_FAULTS="full")


@nox.session(default=False)
def lint(session: nox.Session) -> None:
    """Linters and type checks for Python, SQL and the dbt project; then licences and known vulnerabilities."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("zizmor", "--offline", "--quiet", ".github")
    folder = Path(session.create_tmp()).absolute()
    shutil.rmtree(folder)
    folder.mkdir()
    session.env.update(DBT_TARGET_PATH=str(folder), MOVIELENS_WAREHOUSE=str(folder / "empty.duckdb"))
    session.run("dbt", "--quiet", "run-operation", "create_raw_tables")
    session.run("dbt", "--quiet", "compile")
    session.run("dbt-bouncer", "run", "--config-file", ".dbt-bouncer.yml")
    session.run(
        "sqlfluff", "lint", "--dialect", "duckdb", "--processes", "0", str(folder / "compiled/movielens/models")
    )
    session.run(
        "pip-licenses", "--from=mixed", "--summary", "--partial-match", "--fail-on=AGPL;Affero;GPLv3;GPL-3;UNKNOWN"
    )
    for lock in LOCKS:
        session.run("pip-audit", "--requirement", f"locks/{lock}.txt", "--disable-pip", "--progress-spinner=off")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """The benchmark: the whole job against a hand-written DuckDB script (`-- --against REF`: an earlier commit too)."""
    run(session, "test", "tests.bench", MOVIELENS_NOX_PYTHON=sys.executable)


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Recompile the locks from pyproject.toml, with hashes (`-- --upgrade`: to the newest versions)."""
    session.install("uv")
    compiled = "uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --quiet"
    for name, groups in LOCKS.items():
        command = [*compiled.split(), "--custom-compile-command", "nox -s lock", *session.posargs]
        groups_of = [f"--group={group}" for group in groups]
        session.run(*command, *groups_of, "--output-file", f"locks/{name}.txt", "pyproject.toml")
