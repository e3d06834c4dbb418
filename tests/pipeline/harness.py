"""A warehouse in miniature: small batches, written in memory, through the real landing, load macro and dbt build."""

from __future__ import annotations

import csv
import io
import itertools
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from click.testing import Result
from rich.console import Console
from typer.testing import CliRunner

from expectations.gate import Gate
from expectations.verdict import Finding, Verdict
from ingest.batches.landing import Landed, Landing
from ingest.batches.landing import land as land_source
from ingest.manifest import Manifest
from ingest.schema import TABLES, Mode
from ingest.settings import Settings
from ingest.store.bucket import Store
from pipeline import target
from pipeline.__main__ import app
from pipeline.apply import Context, apply
from pipeline.dbt import Dbt
from pipeline.report import Report
from pipeline.target import give_access
from pipeline.warehouse import duckdb_warehouse
from profiles.environment import also, built
from profiles.warehouse_file import WarehouseFile
from tests.conftest import AS_IN_A_RUN
from tests.pipeline.relations import Relations, Row, relations

Run = Callable[..., Result]
NO_TESTS = ("resource_type:test", "resource_type:unit_test")


@dataclass(frozen=True)
class Batch:
    """What to land: rows of CSV values by table, and the mode of each table (`full` where it names none).

    A table without rows is landed with one line that cannot be loaded, since a header alone is refused.
    """

    as_of: datetime
    rows: Mapping[str, Sequence[Row]]
    modes: Mapping[str, Mode] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Writes the batch as a folder of CSV files."""
        folder.mkdir(parents=True)
        for table, rows in self.rows.items():
            with open(folder / TABLES[table].file, "w", encoding="utf-8", newline="") as file:
                file.write(TABLES[table].header + "\n")
                csv.writer(file, lineterminator="\n").writerows(rows or [("nothing",)])
        return folder


class OpenGate(Gate):
    """Lets everything through: these suites look at the data themselves, and Great Expectations takes seconds."""

    def __init__(self, *_: object) -> None:
        super().__init__("dev")

    def prepare(self) -> None:
        """Starts nothing."""

    def check(self, batches: Sequence[str] = (), accepted: Sequence[str] = (), **_: bool) -> Verdict:
        """Finds nothing."""
        return Verdict(tuple(batches), 0, (), 0.0)


class ClosedGate(OpenGate):
    """Finds a fault in the marts."""

    def check(self, batches: Sequence[str] = (), accepted: Sequence[str] = (), **_: bool) -> Verdict:
        """Closes after the build."""
        return Verdict(tuple(batches), 1, (Finding("error", batches[-1], "marts", "a fault", "none", "planted"),), 0.0)


def _said(*_: object, **__: object) -> str:
    return ""


class QuickDbt(Dbt):
    """dbt without its tests and profiles, and with the project parsed once: all that a property of the marts needs."""

    left_out: tuple[str, ...] = (*NO_TESTS, "path:models/quality")

    def _invoke(self, *arguments: str, doing: str) -> list[Any]:
        less = ("--exclude", *self.left_out) if arguments[0] == "build" else ()
        return super()._invoke(*arguments, *less, "--no-write-json", doing=doing)

    def _answer(self, *arguments: str) -> Any:
        """Without what dbt says meanwhile, which nobody hears here, and which takes a sixth of a small build."""
        from dbt_common.behavior_flags import BehaviorFlagRendered
        from dbt_common.events.event_manager import EventManager

        with (
            mock.patch.object(EventManager, "fire_event", _said),
            mock.patch.object(BehaviorFlagRendered, "_default_source", _said),
        ):
            return super()._answer(*arguments)

    def _parse(self, *command: str) -> None:
        if command:
            super()._parse(*command)
        else:
            self._project, self._runner = _parsed(self.target, os.environ.get("MOVIELENS_SCHEMA_PREFIX", "")), None

    def _all_tested(self, results: list[Any]) -> None:
        """They are left out on purpose."""


class MeasuringDbt(QuickDbt):
    """The same with profiles, for what is to be judged."""

    left_out = NO_TESTS


@cache
def _parsed(target: str, prefix: str = "") -> Any:
    dbt = Dbt(target)
    with also(**AS_IN_A_RUN):
        dbt._parse()
    assert dbt._project
    for node in dbt._project.nodes.values():
        if hasattr(node.config, "persist_docs"):
            node.config.persist_docs = {}  # comments on columns cost a fifth of a build
    return dbt._project


def quickly(*arguments: object) -> Result:
    """`python -m pipeline` in this process, without dbt's tests and the gate: what becomes of the data is the same."""
    with mock.patch.multiple(target, Dbt=MeasuringDbt, Gate=OpenGate):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])


@dataclass(frozen=True)
class Kept:
    """A data set and the warehouse that was built of it, once for several tests."""

    dataset: str
    objects: Mapping[str, bytes | None]
    warehouse: bytes


class Lab:
    """One data folder, one warehouse file, and any number of data sets, one after another."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store, self.settings = store, settings
        self.warehouse = duckdb_warehouse(settings.warehouse, read_only=True)
        self.file = WarehouseFile(settings.warehouse)
        self._names = (f"case-{number}" for number in itertools.count())
        self._folders = (settings.data_dir / "sources" / str(number) for number in itertools.count())
        with self.environment():
            _parsed("dev")
            copy = duckdb_warehouse(self.file.copy)
            self._context = Context(store, self.warehouse, copy, self.file, QuickDbt("dev"), Quiet(), OpenGate())

    @contextmanager
    def environment(self) -> Iterator[None]:
        """The environment that a run has: this folder, this store, and dbt's own files outside the repository."""
        with mock.patch.dict(os.environ, built(os.environ, self.settings)):
            os.environ.pop("MOVIELENS_SCHEMA_PREFIX", None)
            give_access(self.store)
            yield

    def new_name(self) -> str:
        """A data set's name that no case has used."""
        return next(self._names)

    def new_dataset(self) -> str:
        """A name that no case has used, and an empty warehouse for it."""
        self.delete_warehouse()
        return self.new_name()

    def delete_warehouse(self) -> None:
        """What a user may do at any time."""
        for path in (self.settings.warehouse, Path(f"{self.settings.warehouse}.wal")):
            path.unlink(missing_ok=True)

    def keep(self, dataset: str) -> Kept:
        """The data set that is published, as it is now."""
        objects = {found.key: self.store.get(found.key) for found in self.store.list(f"{dataset}/")}
        return Kept(dataset, objects, self.settings.warehouse.read_bytes())

    def put_back(self, kept: Kept) -> str:
        """Takes away what has happened since; the data set's name."""
        found = {each.key for each in self.store.list(f"{kept.dataset}/")}
        for key in found - kept.objects.keys():
            self.store.delete(key)
        for key in kept.objects.keys() - found:
            self.store.put(key, kept.objects[key] or b"")
        self.delete_warehouse()
        self.settings.warehouse.write_bytes(kept.warehouse)
        return kept.dataset

    def land(self, dataset: str, batch: Batch) -> Landed:
        """Lands a batch for real; raises what landing raises."""
        folder = batch.write(next(self._folders))
        landing = Landing(dataset, folder, batch.modes, batch.as_of, max_rejected=1)
        return land_source(landing, self.store, self.settings)

    def manifest(self, dataset: str, batch: Batch) -> Manifest:
        """Lands a batch that holds something new; the manifest."""
        landed = self.land(dataset, batch)
        assert not landed.unchanged
        return landed.manifest

    def land_archive(self, dataset: str, path: Path) -> None:
        """Lands a zip as it is."""
        land_source(Landing(dataset, path), self.store, self.settings)

    def load(self, manifest: Manifest) -> None:
        """Loads one batch into raw, without asking whether its parts are what they were."""
        with self.environment():
            self._context.dbt.load(manifest, self.store.bucket)

    def apply(self, dataset: str, **other: Any) -> list[Manifest] | None:
        """Applies what waits, as a run does; `other` takes the place of parts of its `Context`."""
        with self.environment(), self.file.worked_on():
            return apply(replace(self._context, **other), dataset)

    def full_refresh(self) -> None:
        """Builds every model anew from raw."""
        with self.environment():
            self._context.dbt.build(full_refresh=True)

    def compiled(self, sql: str) -> str:
        """SQL with the project's macros, as the engine gets it."""
        with self.environment():
            (node,) = self._context.dbt._invoke("compile", "--inline", sql, doing="compiling")
        return str(node.node.compiled_code)

    def rows(self, sql: str) -> list[Row]:
        """The rows of a query."""
        return self.warehouse.rows(sql)

    def marts(self) -> Relations:
        """Every current mart, row for row, without lineage."""
        return relations(self.warehouse, history=False)

    def history(self) -> Relations:
        """Every snapshot and the history mart, row for row."""
        return relations(self.warehouse, history=True)


class Quiet(Report):
    """A report that nobody reads; at the beginning of the step `at`, it does something."""

    def __init__(self, at: str | None = None, act: Callable[[], None] = lambda: None) -> None:
        super().__init__(Console(file=io.StringIO()))
        self._at, self._act = at, act

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A step."""
        if self._at is not None and name.startswith(self._at):
            self._act()
        with super().step(name):
            yield


if __name__ == "__main__":
    done = quickly(*sys.argv[1:])
    print(done.output)
    sys.exit(done.exit_code)
