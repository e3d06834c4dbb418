"""A clean warehouse to plant faults in, and what the checks and dbt's tests find of them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import duckdb

from expectations import checks as suites
from expectations.checks import Check
from expectations.connection import Warehouse
from expectations.verdict import Verdict
from ingest.batches.landing import Landing, land
from ingest.sources.sample.day import as_of
from ingest.sources.sample.generate import generate
from tests.pipeline.harness import Lab, MeasuringDbt

SAMPLE = ("movies", "ratings", "tags", "links", "genome_scores", "genome_tags")
# The same content again as a second batch, one day later.
_SECOND_BATCH = (
    ";".join(f"insert into raw.{table} select * replace (2 as _batch) from raw.{table}" for table in SAMPLE)
    + """;
    insert into raw.batches
    select * replace (
        '000002' as batch_id, 2 as _batch, as_of + interval 1 day as as_of, effective_at + interval 1 day as effective_at
    ) from raw.batches;
    insert into raw.load_ledger select * replace ('000002' as batch_id) from raw.load_ledger;
    insert into raw.files select * replace ('000002' as batch_id, 2 as _batch) from raw.files;
"""
)
_NOTHING_BUILT = ";".join(
    f"drop schema {schema} cascade" for schema in ("staging", "intermediate", "quality", "marts", "snapshots")
)
# The ledger as the load would have written it.
_BOOK = ";".join(
    f"update raw.load_ledger set rows_loaded = (select count(*) from raw.{table} where _batch = {{batch}}),"
    f" rows_read = rows_rejected + (select count(*) from raw.{table} where _batch = {{batch}})"
    f" where batch_id = '{{batch}}' and table_name = '{table}'"
    for table in SAMPLE
)
Contents = dict[str, tuple[int, int | None]]


def make(lab: Lab, folder: Path) -> None:
    """A warehouse with one batch, one with nothing built of it, one with two batches; dbt's SQL, compiled."""
    generate(folder / "sample", ratings=30_000)
    name = lab.new_dataset()
    land(Landing(name, folder / "sample", as_of=as_of(1)), lab.store, lab.settings)
    lab.apply(name, dbt=MeasuringDbt("dev"))
    _changed(lab.settings.warehouse, folder / "first.duckdb", _NOTHING_BUILT)
    _changed(lab.settings.warehouse, folder / "second.duckdb", _SECOND_BATCH)
    compiled = {kind: _compiled(lab, kind) for kind in ("path:models/quality", "resource_type:test")}
    (folder / "compiled.json").write_text(json.dumps(compiled))


def _changed(source: Path, target: Path, sql: str) -> None:
    shutil.copy(source, target)
    with duckdb.connect(str(target)) as connection:
        connection.execute(sql)


def _compiled(lab: Lab, selected: str) -> dict[str, str]:
    """The SQL of some nodes by name, as it is where nothing has been built before."""
    with lab.environment():
        results = lab._context.dbt._invoke("compile", "--select", selected, "--full-refresh", doing="compiling")
    return {result.node.name: result.node.compiled_code for result in results}


class Bench:
    """Copies of what `make` has made in one folder, in a folder of its own."""

    def __init__(self, made: Path, folder: Path) -> None:
        self._made, self._folder, self._warehouse = made, folder, folder / "warehouse.duckdb"
        self._profiles, self._tests = json.loads((made / "compiled.json").read_text()).values()
        self._clean: dict[bool, Contents] = {}
        self._first = False

    def plant(self, sql: str = "", *, first: bool = False, booked: bool = True) -> None:
        """A batch with a fault: the first one of all, or one that follows a built one."""
        self._first = first
        if first not in self._clean:
            self._clean[first] = {}
            self.plant(first=first)
            self._clean[first] = self._measured()
        book = f"{sql};{_BOOK if booked else ''}".replace("{batch}", "000001" if first else "000002")
        _changed(self._made / ("first.duckdb" if first else "second.duckdb"), self._warehouse, book)

    def judged(self, *accepted: str, every: bool = False) -> Verdict:
        """What the checks find in the newest batch, measured as dbt does.

        Without `every`, only those checks are asked that look at something else than they do in the clean batch,
        where all of them pass; all, where there are none.
        """
        from expectations.judge import judge

        clean = self._clean[self._first]
        differs = {name for name, found in self._measured().items() if found[0] and found != clean.get(name)}
        asked = [check for check in suites.read() if not every and looks_at(check) & differs]
        return judge(Warehouse(self._warehouse), self._folder / "results", accepted=accepted, checks=asked or None)

    def _measured(self) -> Contents:
        """Builds the profiles; rows and a digest of what each relation has of the newest batch."""
        with duckdb.connect(str(self._warehouse)) as connection:
            connection.execute("create schema if not exists quality")
            for name, sql in self._profiles.items():
                connection.execute(f"create or replace table quality.{name} as {sql}")
            relations = [*(f"raw.{table}" for table in SAMPLE), *(f"quality.{name}" for name in self._profiles)]
            digest = f"select count(*), sum(hash(each)) from {{}} as each where _batch = {1 if self._first else 2}"
            return {name: connection.execute(digest.format(name)).fetchall()[0] for name in relations}

    def failing_tests(self) -> list[str]:
        """The dbt tests that find something."""
        with duckdb.connect(str(self._warehouse), read_only=True) as connection:
            return [name for name, sql in self._tests.items() if _finds_something(connection, sql)]


def looks_at(check: Check) -> set[str]:
    """The relations that decide what a check finds."""
    asked = (f"{schema}.{name}" for schema, name in re.findall(r"{(\w+)}\.(\w+)", str(check.arguments)))
    return {check.relation, str(check.profile), *asked}


def _finds_something(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    try:
        return connection.execute(sql).fetchone() is not None
    except duckdb.Error:
        return True  # dbt reports an error of a test as a failure
