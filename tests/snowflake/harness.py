"""A data folder that is built on DuckDB and on the emulator: both stores stay up, however many commands there are."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from click.testing import Result
from typer.testing import CliRunner

from expectations.gate import Gate
from ingest.settings import Settings
from ingest.store.bucket import Store
from ingest.store.embedded import object_store
from pipeline import bootstrap, target
from pipeline.__main__ import app
from pipeline.dbt import Dbt
from pipeline.target import emulated, give_access
from pipeline.warehouse import snowflake_warehouse
from profiles import emulator
from profiles.environment import adopt
from tests.conftest import REPO, settings_in
from tests.pipeline.harness import MeasuringDbt, OpenGate
from tests.snowflake.check_sql.check import check

DEV_PYTHON = os.environ.get("MOVIELENS_DEV_PYTHON", "")
TIMEOUT = 400
SCHEMAS = ("raw", "ops", "staging", "intermediate", "quality", "snapshots", "marts")
# dbt's comment names the run, and a clone's schema differs by its prefix: neither makes another statement.
_SAME = re.compile(r"/\*.*?\*/|\bbuild_", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True)
class Pair:
    """A data folder, its object store, and the environment that leads to its emulator."""

    settings: Settings
    store: Store
    reached: dict[str, str]

    @contextmanager
    def environment(self, **more: str) -> Iterator[None]:
        """That of somebody who has set nothing but `more` and the data folder."""
        with mock.patch.dict(os.environ):
            for name in [name for name in os.environ if name.startswith(("SNOWFLAKE_", "S3_", "AWS_", "MOVIELENS_"))]:
                del os.environ[name]
            os.environ |= {"MOVIELENS_DATA_DIR": str(self.settings.data_dir), **more}
            found = self.reached | {name: text for name, text in more.items() if name.startswith("SNOWFLAKE_")}
            with mock.patch.object(emulator, "running", return_value=nullcontext(found)), self._bootstrapped_once():
                yield

    @contextmanager
    def _bootstrapped_once(self) -> Iterator[None]:
        known = any("create database" in each["sql"] for each in self.sent())
        with mock.patch.object(bootstrap, "run") if known else nullcontext():
            yield

    def duckdb(self, *arguments: str, module: str = "tests.pipeline.harness") -> str:
        """What a pipeline command says that succeeds in the environment of the DuckDB side, without tests and gate."""
        with self.environment():
            command = [DEV_PYTHON, "-m", module, *arguments]
            done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, *arguments: str, tests: bool = False, gate: bool = False, **environment: str) -> Result:
        """A pipeline command on the emulator, in this process, with dbt's tests and the gate where a test is of them.

        `environment` is what its caller has set.
        """
        parts = {"Dbt": Dbt if tests else MeasuringDbt, "Gate": Gate if gate else OpenGate}
        with self.environment(**environment), mock.patch.multiple(target, **parts):
            return CliRunner().invoke(app, [*arguments, "--emulator"])

    def snowflake(self, *arguments: str, **options: Any) -> str:
        """What a pipeline command says that succeeds on the emulator; `options` as for `run`."""
        done = self.run(*arguments, **options)
        assert done.exit_code == 0, done.output
        return done.output

    def killed(self, script: str) -> int:
        """The exit code of a script in a process of its own, which finds the emulator when it asks for one."""
        lead = "import json, sys; from contextlib import nullcontext; from profiles import emulator; "
        lead += "found = json.load(sys.stdin); emulator.running = lambda *_, **__: nullcontext(found)\n"
        with self.environment():
            done = subprocess.run(
                [sys.executable, "-c", lead + script],
                cwd=REPO, input=json.dumps(self.reached), text=True, timeout=TIMEOUT, check=False,
            )  # fmt: skip
        return done.returncode

    @contextmanager
    def session(self, **environment: str) -> Iterator[None]:
        """The environment of something else that reads the emulator, such as a notebook."""
        with self.environment(**environment), emulated(adopt()):
            yield

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query of the emulator."""
        with self.session():
            return snowflake_warehouse().rows(sql)

    def sent(self) -> list[dict[str, str]]:
        """Every statement that the emulator was sent, with its role, warehouse and query tag."""
        record = self.settings.data_dir / "emulator" / emulator.RECORD
        return [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]

    @cached_property
    def columns(self) -> dict[str, dict[str, str]]:
        """The type of each column, by relation."""
        found: dict[str, dict[str, str]] = {}
        for table, column, kind in self.rows(
            "select lower(table_name), lower(column_name), lower(data_type) from information_schema.columns "
            f"where lower(table_schema) in ({', '.join(map(repr, SCHEMAS))})"
        ):
            found.setdefault(table, {})[column] = kind
        return found

    def doubts(self) -> list[str]:
        """What of all that was sent Snowflake might refuse."""
        statements = {_SAME.sub("", each["sql"]).strip() for each in self.sent()}
        found = ((sql, each) for sql in statements for each in check(sql, "sent", self.columns))
        return [f"{finding} in: {' '.join(sql.split())[:200]}" for sql, finding in found]


@contextmanager
def pair(data: Path, *, first_row: int = 1) -> Iterator[Pair]:
    """A pair in an empty folder, with `first_row` as the emulator takes it."""
    if not DEV_PYTHON:
        pytest.skip("MOVIELENS_DEV_PYTHON names no environment for the DuckDB side")
    settings = settings_in(data)
    with object_store(settings, embedded=True) as store:
        with mock.patch.dict(os.environ):
            give_access(store)
            reached = {name: os.environ[name] for name in os.environ if name.startswith(("AWS_", "S3_"))}
        # An account's time zone need not be UTC: nothing may depend on it.
        with emulator.running(data, reached, timezone="America/New_York", first_row=first_row) as found:
            yield Pair(settings, store, found)
