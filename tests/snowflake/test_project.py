"""The project on the Snowflake side: the emulator end to end, parity with DuckDB, and all the SQL that was sent."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

pytest.importorskip("fakesnow", reason="the emulator has an environment of its own")

from ingest.sources.sample.generate import generate
from notebooks import run as notebooks
from pipeline import bootstrap
from pipeline.dbt import Dbt
from pipeline.site import build as site
from profiles import snowflake
from profiles.emulator.privileges import ADMINISTRATORS, Need
from profiles.warehouse_schemas import BUILD
from tests.conftest import REPO
from tests.snowflake.check_sql.check import check
from tests.snowflake.check_sql.portable import differences
from tests.snowflake.grants import CI, LOADER, REPORTER, TRANSFORMER, Act, acts, lacking, unused
from tests.snowflake.harness import TIMEOUT, Pair, pair


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two days of the sample, built on DuckDB."""
    with pair(tmp_path_factory.mktemp("parity")) as both:
        both.duckdb("dev", "sample", "--day", "2", "--ratings", "2000")
        yield both


@pytest.fixture(scope="module")
def parity(two_days: Pair) -> str:
    """Parity after two days, the emulator built from the landed batches, tested and judged."""
    return two_days.snowflake("parity", tests=True, gate=True)


@pytest.fixture(scope="module")
def target(two_days: Pair) -> Path:
    """Where dbt keeps what it makes for Snowflake."""
    return two_days.settings.data_dir / "work" / "dbt" / "target" / "prod"


def test_both_targets_hold_the_same_after_two_days(parity: str) -> None:
    assert "are the same on both targets" in parity


def test_every_page_of_the_emulator_says_that_it_is_one(parity: str) -> None:
    assert "local emulator, not Snowflake" in " ".join(parity.split())


def test_a_third_day_is_an_increment_on_both_targets(two_days: Pair, parity: str) -> None:
    two_days.duckdb("dev", "sample", "--day", "3")
    compared = two_days.snowflake("parity")
    assert "load 000003" in compared and "load 000002" not in compared


def test_a_run_of_another_machine_is_refused_and_one_that_is_over_is_not(two_days: Pair, parity: str) -> None:
    key = "movielens/prod.lock"
    assert two_days.store.head(key) is None, "each run gives the lock back"
    two_days.store.put(key, b'{"host": "another", "pid": 4711, "since": "2020-01-01T00:00:00+00:00"}')
    refused = two_days.run("prod", "--emulator", "--no-land")
    two_days.store.delete(key)
    assert refused.exit_code == 1
    assert "another run is running (process 4711 on another, since 2020" in refused.output
    assert two_days.run("prod", "--emulator", "--no-land").exit_code == 0


@pytest.fixture(scope="module")
def pull_request(two_days: Pair, parity: str, target: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the build of a pull request says that changes one model."""
    manifest, folder = json.loads((target / "manifest.json").read_text()), tmp_path_factory.mktemp("production")
    manifest["nodes"]["model.movielens.rating_distribution"]["raw_code"] += " -- as it was"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    account = {"SNOWFLAKE_ROLE": "MOVIELENS_ci", "SNOWFLAKE_WAREHOUSE": "MOVIELENS_ci"}  # as docs/production.md has it
    return two_days.snowflake("prod", "--changed", str(folder), MOVIELENS_SCHEMA_PREFIX="ci_7_", **account)


@pytest.fixture(scope="module")
def sandbox(two_days: Pair, parity: str) -> str:
    """What the build of a sandbox says."""
    return two_days.snowflake("prod", "--sandbox", "ann")


def test_a_pull_request_builds_what_it_changes_beside_production(
    two_days: Pair, pull_request: str, target: Path
) -> None:
    assert "1 models and" in pull_request
    refused = two_days.run("prod", "--changed", str(target), MOVIELENS_SCHEMA_PREFIX="")
    assert refused.exit_code == 1
    assert "MOVIELENS_SCHEMA_PREFIX must be like ci_123_" in refused.output


def test_a_sandbox_is_built_beside_production_from_its_raw_data(two_days: Pair, sandbox: str) -> None:
    assert "passed in dev_ann_*" in sandbox
    refused = two_days.run("prod", "--sandbox", "Ann; drop")
    assert refused.exit_code == 1
    assert "--sandbox takes a name" in refused.output


def test_the_notebooks_run_on_the_marts_of_snowflake(two_days: Pair, parity: str, tmp_path: Path) -> None:
    with two_days.session(MOVIELENS_TARGET="prod"):
        notebooks.run(tmp_path)
    assert len(list(tmp_path.glob("*.html"))) == len(list((REPO / "notebooks").glob("[0-9]*.ipynb")))


def test_the_documentation_is_made_as_a_reporter(two_days: Pair, parity: str, tmp_path: Path) -> None:
    before = len(two_days.sent())
    with two_days.session():
        settings = two_days.settings.model_copy(update={"target": "prod"})
        manifest, catalog = site._dbt(tmp_path / "page", tmp_path / "work", settings)
    assert {each["role"] for each in two_days.sent()[before:]} - set(ADMINISTRATORS) == {REPORTER}
    assert catalog["nodes"].keys() >= {"model.movielens.fact_ratings", "snapshot.movielens.snap_movies"}
    assert manifest["nodes"].keys() >= catalog["nodes"].keys()


def test_a_difference_planted_in_one_target_is_found_and_shown(two_days: Pair, parity: str) -> None:
    with duckdb.connect(str(two_days.settings.warehouse)) as warehouse:
        warehouse.execute(
            "update marts.dim_movies set title = 'Planted' where movie_id = (select min(movie_id) from marts.dim_movies)"
        )
    found = two_days.run("parity")
    assert found.exit_code == 1
    assert "marts.dim_movies differs in values" in found.output
    assert "Planted" in found.output


FAULTS = (
    ("movies.csv", "Sci-Fi", "SciFi"),
    ("links.csv", r"(?m),0+(\d+),", r",\1,"),
    ("ratings.csv", r"(?m),[0-9.]+,(\d+)$", r",4.5,\1"),
)


def test_both_targets_find_the_same_in_a_faulty_release(two_days: Pair, parity: str, tmp_path: Path) -> None:
    generate(tmp_path, ratings=2000)
    for file, pattern, other in FAULTS:
        text = (tmp_path / file).read_text(encoding="utf-8")
        (tmp_path / file).write_text(re.sub(pattern, other, text), encoding="utf-8")
    two_days.duckdb("land", "sample", "--source", str(tmp_path), "--as-of", "2020-03-01")
    with pytest.raises(AssertionError, match="the gate is closed"):
        two_days.duckdb("dev", "--no-land", module="pipeline")
    before = len(two_days.sent())
    assert two_days.run("prod", "--no-land", gate=True).exit_code == 1
    found = {}
    for path in sorted((two_days.settings.data_dir / "runs").glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        found[record["target"]] = record["findings"]
    assert found["prod"] == found["dev"]
    assert sum(finding["severity"] == "error" for finding in found["dev"]) >= 4
    sent = [each["sql"] for each in two_days.sent()[before:]]
    gate = sent[next(place for place, sql in enumerate(sent) if "distinct s.schema_name" in sql) :]
    shown = sum(bool(finding["rows"]) for finding in found["prod"])
    assert len(gate) - shown <= 40, "a query is a round trip: expectations/README.md says how many there are"
    assert "rollback" not in {sql.strip().lower() for sql in gate}


def test_a_process_that_has_read_the_project_ends_without_a_word(two_days: Pair, parity: str) -> None:
    script = "from pipeline import warehouse, dbt; warehouse.snowflake_warehouse().state(); dbt.Dbt('prod')._parse()"
    with two_days.session():
        done = subprocess.run([sys.executable, "-c", script], cwd=REPO, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_another_run_does_not_read_the_project_anew(two_days: Pair, parity: str) -> None:
    heard: list[str] = []

    class Heard(Dbt):
        def _hear(self, event: Any) -> None:
            heard.append(event.info.name)

    with two_days.session():
        Dbt("prod")._parse()
        snowflake.tag("000009", run="another")
        Heard("prod")._parse()
    assert "PartialParsingSkipParsing" in heard, heard
    assert "UnableToPartialParse" not in heard


def test_an_increment_with_other_types_than_its_table_cannot_be(parity: str, target: Path) -> None:
    # What the emulator does not know: `count(…)` is another type of number there than `bigint`.
    nodes = json.loads((target / "manifest.json").read_text())["nodes"].values()
    growing = [node for node in nodes if node["config"]["materialized"] == "incremental"]
    assert len(growing) > 10
    assert [node["name"] for node in growing if not node["config"]["contract"]["enforced"]] == []


def compiled(target: Path) -> list[Path]:
    """The SQL that dbt compiled for Snowflake."""
    return sorted(path for path in target.glob(f"{BUILD}/compiled/**/*.sql") if path.is_file())


def test_compiled_sql_uses_nothing_that_snowflake_does_not_have(parity: str, target: Path, grammar: None) -> None:
    files = compiled(target)
    assert len(files) > 100
    assert [str(found) for path in files for found in check(path.read_text(), path.name)] == []
    assert [f"{path.name}:{found}" for path in files for found in differences(path.read_text())] == []


def test_everything_that_was_sent_is_checked_and_would_be_taken(two_days: Pair, parity: str, grammar: None) -> None:
    kinds = ("copy into", "merge into", "create or replace", "insert into", "delete from", "use role", "alter session")
    statements = [each["sql"].lower() for each in two_days.sent()]
    assert all(any(kind in sql for sql in statements) for kind in kinds)
    assert two_days.doubts() == []


@pytest.fixture(scope="module")
def done(two_days: Pair, pull_request: str, sandbox: str) -> list[Act]:
    """What every role did; reporters read all that there is, and pull requests may change any model."""
    sent = two_days.sent()
    relations = two_days.rows("select table_schema || '.' || table_name from information_schema.tables where "
                                f"lower(table_schema) in ({', '.join(map(repr, bootstrap.SCHEMAS))})")  # fmt: skip
    reads = [{"role": REPORTER, "warehouse": "MOVIELENS", "sql": f"select * from {name}"} for (name,) in relations]
    tags = {"role": CI, "warehouse": "MOVIELENS_CI", "sql": "select movielens.tools.nfc(tag) from movielens.raw.tags"}
    return acts([*sent, *reads, tags])


@pytest.fixture(scope="module")
def grants(two_days: Pair, parity: str) -> list[str]:
    """The grants of the bootstrap, as they were sent, but for those to administrators."""
    given = dict.fromkeys(each["sql"] for each in two_days.sent() if each["role"] in ADMINISTRATORS)
    return [sql for sql in given if re.match("grant ", sql) and not re.search(r"to (role sysadmin|user \w+)", sql)]


def test_each_role_has_what_it_needs_and_needs_what_it_has(done: list[Act], grants: list[str]) -> None:
    assert set(lacking(done)) == set()
    assert unused(done, grants) == set()


def test_a_grant_that_the_bootstrap_lacks_is_found(done: list[Act], grants: list[str]) -> None:
    # What is granted on all tables is granted on future ones too: the two are one.
    pairs = {sql.replace("on future", "on all"): {sql, sql.replace("on future", "on all")} for sql in grants}
    assert len(pairs) > 20
    assert [sql for sql, both in pairs.items() if not any(lacking(done, without=both))] == []


@pytest.mark.parametrize("role", [LOADER, TRANSFORMER])
@pytest.mark.parametrize("what", ["update", "truncate", "delete"])
def test_a_grant_that_nobody_needs_is_found(role: str, what: str, done: list[Act], grants: list[str]) -> None:
    for schema in ("raw", "ops"):
        more = f"grant {what} on future tables in schema movielens.{schema} to role {role}"
        assert unused(done, [*grants, more]) == {(role, Need(what, "tables", f"MOVIELENS.{schema.upper()}"))}


def test_what_was_sent_names_its_run_its_batch_and_its_model(two_days: Pair, parity: str) -> None:
    loads = [each for each in two_days.sent() if each["sql"].lstrip().startswith("copy into")]
    assert {json.loads(each["tag"])["batch"] for each in loads} >= {"000001", "000002"}
    assert all(json.loads(each["tag"])["run"] for each in loads)
    built = [
        each["sql"]
        for each in two_days.sent()
        if re.search(r"create or replace (transient )?table \S+marts\.fact_ratings\s", each["sql"])
    ]
    assert built and all('"node_id": "model.movielens.fact_ratings"' in sql for sql in built)


def test_compiled_models_pass_sqlfluff_for_snowflake(parity: str, target: Path) -> None:
    models = [path for path in compiled(target) if not any(part.endswith(".yml") for part in path.parts)]
    assert len(models) > 25
    linted = subprocess.run(
        [
            Path(sys.executable).parent / "sqlfluff",
            "lint",
            "--config",
            REPO / ".sqlfluff",
            "--dialect",
            "snowflake",
            "--format",
            "json",
            *models,
        ],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    findings = [
        f"{Path(file['filepath']).name}:{violation['start_line_no']} {violation['code']} {violation['description']}"
        for file in json.loads(linted.stdout)
        for violation in file["violations"]
    ]
    assert findings == []
