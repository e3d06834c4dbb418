"""The project on the Snowflake side: the emulator end to end, parity with DuckDB, and the compiled SQL as text."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from profiles import emulator
from profiles.emulator.privileges import ADMINISTRATORS, Privileges, needs, parsed
from tests.snowflake.check_sql.check import check
from tests.snowflake.check_sql.portable import differences

ROOT = Path(__file__).parents[2]
RELEASES = Path(os.environ.get("MOVIELENS_TEST_RELEASES", ROOT.parent / "shared" / "data"))
DEV_PYTHON = os.environ.get("MOVIELENS_DEV_PYTHON", "")
TIMEOUT = 400
TARGET = Path("work", "dbt", "target", "prod")

needs_dev = pytest.mark.skipif(not DEV_PYTHON, reason="MOVIELENS_DEV_PYTHON names no environment for the DuckDB side")


def run(
    python: str, data: Path, *arguments: str, call: Sequence[str] = ("-m", "pipeline"), **environment: str
) -> subprocess.CompletedProcess[str]:
    """A pipeline command on a data folder, without whatever the caller's environment says of stores and accounts."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SNOWFLAKE_", "S3_", "AWS_"))}
    return subprocess.run(
        [python, *call, *arguments],
        cwd=ROOT,
        env={
            **kept,
            "MOVIELENS_DATA_DIR": str(data),
            "DBT_TARGET_PATH": str(data / "target" / Path(python).parent.parent.name),
            "DBT_LOG_PATH": str(data / "logs"),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


@pytest.fixture(scope="module")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with three days of the sample, built on DuckDB and on the emulator."""
    if not DEV_PYTHON:
        pytest.skip("MOVIELENS_DEV_PYTHON names no environment for the DuckDB side")
    data = tmp_path_factory.mktemp("parity")
    done = run(DEV_PYTHON, data, "dev", "sample", "--day", "3", "--ratings", "2000")
    assert done.returncode == 0, done.stdout + done.stderr
    return data


@pytest.fixture(scope="module")
def parity(three_days: Path) -> subprocess.CompletedProcess[str]:
    """Parity after three days, the emulator built from the landed batches."""
    return run(sys.executable, three_days, "parity", "--emulator")


def test_both_targets_hold_the_same_after_three_days_of_change(parity: subprocess.CompletedProcess[str]) -> None:
    assert parity.returncode == 0, parity.stdout + parity.stderr
    assert "are the same on both targets" in parity.stdout


def test_every_page_of_the_emulator_says_that_it_is_one(parity: subprocess.CompletedProcess[str]) -> None:
    assert "local emulator, not Snowflake" in " ".join(parity.stdout.split())


def test_a_fourth_day_is_an_increment_on_both_targets(
    three_days: Path, parity: subprocess.CompletedProcess[str]
) -> None:
    done = run(DEV_PYTHON, three_days, "dev", "sample", "--day", "4", "--ratings", "2000")
    assert done.returncode == 0, done.stdout + done.stderr
    compared = run(sys.executable, three_days, "parity", "--emulator")
    assert compared.returncode == 0, compared.stdout + compared.stderr
    assert "load 000004" in compared.stdout and "load 000003" not in compared.stdout


KILLED = """
import os, signal
from pipeline.__main__ import app
from profiles.warehouse_schemas import WarehouseSchemas
run = WarehouseSchemas._run
def until_marts(self, statements):
    for role, statement in statements:
        if "schema marts swap" in statement:
            os.kill(os.getpid(), signal.SIGKILL)
        run(self, [(role, statement)])
WarehouseSchemas._run = until_marts
app(["prod", "--emulator", "--no-land"])
"""


def test_a_withdrawn_batch_leaves_no_trace_though_the_run_that_published_without_it_was_killed_between_two_swaps(
    three_days: Path, parity: subprocess.CompletedProcess[str]
) -> None:
    for command in (("land", "sample", "--withdraw", "000003"), ("dev", "--no-land")):
        done = run(DEV_PYTHON, three_days, *command)
        assert done.returncode == 0, done.stdout + done.stderr
    killed = run(sys.executable, three_days, call=("-c", KILLED))
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    compared = run(sys.executable, three_days, "parity", "--emulator")
    assert compared.returncode == 0, compared.stdout + compared.stderr
    assert "load " not in compared.stdout, "what was swapped in part is swapped to the end, and not built again"


def test_a_pull_request_builds_what_it_changes_beside_production(
    three_days: Path, parity: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    target = three_days / TARGET
    manifest = json.loads((target / "manifest.json").read_text())
    manifest["nodes"]["model.movielens.rating_distribution"]["raw_code"] += " -- as it was"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    changed = ("prod", "--emulator", "--changed", str(tmp_path))
    built = run(sys.executable, three_days, *changed, MOVIELENS_SCHEMA_PREFIX="ci_7_", SNOWFLAKE_ROLE="MOVIELENS_ci")
    assert built.returncode == 0, built.stdout + built.stderr
    assert "1 models and" in built.stdout
    refused = run(sys.executable, three_days, *changed, MOVIELENS_SCHEMA_PREFIX="")
    assert refused.returncode == 1
    assert "MOVIELENS_SCHEMA_PREFIX must be like ci_123_" in refused.stderr


def test_a_sandbox_is_built_beside_production_from_its_raw_data(
    three_days: Path, parity: subprocess.CompletedProcess[str]
) -> None:
    built = run(sys.executable, three_days, "prod", "--emulator", "--sandbox", "ann")
    assert built.returncode == 0, built.stdout + built.stderr
    assert "passed in dev_ann_*" in built.stdout
    refused = run(sys.executable, three_days, "prod", "--emulator", "--sandbox", "Ann; drop")
    assert refused.returncode == 1
    assert "--sandbox takes a name" in refused.stderr


def test_a_rebuild_of_production_equals_what_was_published(
    three_days: Path, parity: subprocess.CompletedProcess[str]
) -> None:
    rebuilt = run(sys.executable, three_days, "prod", "--emulator", "--rebuild")
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    assert "the rebuilt warehouse equals the old one" in rebuilt.stdout


NOTEBOOKS = """
import sys
from pathlib import Path
from ingest.settings import Settings
from notebooks import run
from pipeline.target import emulated
with emulated(Settings()):
    sys.exit(" ".join(run.run(Path(sys.argv[1]))) or 0)
"""


def test_the_notebooks_run_on_the_marts_of_snowflake(
    three_days: Path, parity: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    done = run(sys.executable, three_days, str(tmp_path), call=("-c", NOTEBOOKS), MOVIELENS_TARGET="prod")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(tmp_path.glob("*.html"))) == len(list((ROOT / "notebooks").glob("[0-9]*.ipynb")))


def test_a_difference_planted_in_one_target_is_found_and_shown(
    three_days: Path, parity: subprocess.CompletedProcess[str]
) -> None:
    with duckdb.connect(str(three_days / "warehouse.duckdb")) as warehouse:
        warehouse.execute(
            "update marts.dim_movies set title = 'Planted' where movie_id = (select min(movie_id) from marts.dim_movies)"
        )
    found = run(sys.executable, three_days, "parity", "--emulator")
    assert found.returncode == 1
    assert "marts.dim_movies differs in values of title" in found.stdout
    assert "Planted" in found.stdout


@needs_dev
@pytest.mark.skipif(not (RELEASES / "ml-latest-small.zip").exists(), reason=f"no releases at {RELEASES}")
def test_a_real_release_is_the_same_on_both_targets(tmp_path: Path) -> None:
    same_on_both_targets(tmp_path, "ml-latest-small", RELEASES / "ml-latest-small.zip")


@needs_dev
def test_an_older_release_is_the_same_on_both_targets(tmp_path: Path) -> None:
    written = ("--form", "ml-1m", "--ratings", "2000", str(tmp_path / "ml-1m"))
    assert run(DEV_PYTHON, tmp_path, *written, call=("-m", "ingest.sources.sample")).returncode == 0
    same_on_both_targets(tmp_path, "ml-1m", tmp_path / "ml-1m")


def same_on_both_targets(data: Path, dataset: str, source: Path) -> None:
    done = run(DEV_PYTHON, data, "dev", dataset, "--source", str(source))
    assert done.returncode == 0, done.stdout + done.stderr
    compared = run(sys.executable, data, "parity", "--emulator")
    assert compared.returncode == 0, compared.stdout + compared.stderr


def test_prod_without_credentials_names_what_is_missing_and_writes_nothing(tmp_path: Path) -> None:
    refused = run(sys.executable, tmp_path, "prod")
    assert refused.returncode == 1
    assert "SNOWFLAKE_ACCOUNT" in refused.stderr and "SNOWFLAKE_USER" in refused.stderr
    assert "SNOWFLAKE_PRIVATE_KEY_PATH" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not list(tmp_path.iterdir())


def test_prod_with_a_key_that_is_none_says_so(tmp_path: Path) -> None:
    refused = run(
        sys.executable,
        tmp_path,
        "prod",
        SNOWFLAKE_ACCOUNT="org-name",
        SNOWFLAKE_USER="somebody",
        SNOWFLAKE_PRIVATE_KEY="no key at all",
        S3_ENDPOINT_URL="http://127.0.0.1:9",
        AWS_ACCESS_KEY_ID="key",
        AWS_SECRET_ACCESS_KEY="secret",
    )
    assert refused.returncode == 1
    assert "no PEM file" in refused.stderr
    assert "Traceback" not in refused.stderr and "no key at all" not in refused.stderr


def compiled(data: Path) -> list[Path]:
    """The SQL that dbt compiled for Snowflake."""
    return sorted(path for path in (data / TARGET).glob("compiled/**/*.sql") if path.is_file())


def test_compiled_sql_uses_nothing_that_snowflake_does_not_have(
    three_days: Path, parity: subprocess.CompletedProcess[str]
) -> None:
    files = compiled(three_days)
    assert len(files) > 100
    assert [str(found) for path in files for found in check(path.read_text(), path.name)] == []
    assert [f"{path.name}:{found}" for path in files for found in differences(path.read_text())] == []


def sent(data: Path) -> list[dict[str, str]]:
    """Every statement that the emulator was sent, with its role and query tag."""
    record = data / "emulator" / emulator.RECORD
    return [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]


def test_everything_that_was_sent_is_checked_and_would_be_taken(
    three_days: Path, parity: subprocess.CompletedProcess[str]
) -> None:
    # dbt's comment names the run, and a clone's schema differs by its prefix: neither makes another statement.
    statements = {
        re.sub(r"/\*.*?\*/|\bbuild_", "", each["sql"], flags=re.DOTALL | re.I).strip() for each in sent(three_days)
    }
    kinds = ("copy into", "merge into", "create or replace", "insert into", "delete from", "use role", "alter session")
    assert all(any(kind in sql.lower() for sql in statements) for kind in kinds)
    with duckdb.connect(str(three_days / "emulator" / "MOVIELENS.db"), read_only=True) as database:
        columns: dict[str, dict[str, str]] = {}
        for table, column, kind in database.execute(COLUMNS).fetchall():
            columns.setdefault(table, {})[column] = kind
    found = [
        f"{finding} in: {' '.join(sql.split())[:200]}" for sql in statements for finding in check(sql, "sent", columns)
    ]
    assert found == []


COLUMNS = """
    select lower(table_name), lower(column_name), lower(data_type) from information_schema.columns
    where lower(table_schema) in ('raw', 'ops', 'staging', 'intermediate', 'quality', 'snapshots', 'marts')
"""


def test_each_role_has_what_it_needs_and_needs_what_it_has(
    three_days: Path, parity: subprocess.CompletedProcess[str]
) -> None:
    privileges, lacking, used = Privileges(emulator.DATABASE), set(), set()
    for each in sent(three_days):
        role, sql = each["role"], each["sql"]
        if role not in ADMINISTRATORS and (tree := parsed(sql)):
            for need in needs(tree, emulator.DATABASE):
                lacking |= set() if privileges.allows(role, need) else {(role, need)}
                schema = need.schema.replace(".BUILD_", ".")  # of a clone, what was granted on the original
                used |= {(role, need.what, schema)} if privileges.owners.get(need.name) != role else set()
        privileges.note(role, sql)
    given = {
        (role, need.what, need.name)
        for role, need in privileges.grants
        if need.kind == "tables" and role in ("MOVIELENS_LOADER", "MOVIELENS_TRANSFORMER")
    }
    assert lacking == set()
    assert {(role, what, name) for role, what, name in given if "BUILD_" not in name} - used == set()


def test_what_was_sent_names_its_run_its_batch_and_its_model(
    three_days: Path, parity: subprocess.CompletedProcess[str]
) -> None:
    loads = [each for each in sent(three_days) if each["sql"].lstrip().startswith("copy into")]
    assert {json.loads(each["tag"])["batch"] for each in loads} >= {"000001", "000002", "000003"}
    assert all(json.loads(each["tag"])["run"] for each in loads)
    built = [
        each["sql"]
        for each in sent(three_days)
        if re.search(r"create or replace (transient )?table \S+marts\.fact_ratings\s", each["sql"])
    ]
    assert built and all('"node": "model.movielens.fact_ratings"' in sql for sql in built)


def test_compiled_models_pass_sqlfluff_for_snowflake(
    three_days: Path, parity: subprocess.CompletedProcess[str]
) -> None:
    models = [path for path in compiled(three_days) if not any(part.endswith(".yml") for part in path.parts)]
    assert len(models) > 25
    linted = subprocess.run(
        [
            Path(sys.executable).parent / "sqlfluff",
            "lint",
            "--config",
            ROOT / ".sqlfluff",
            "--dialect",
            "snowflake",
            "--format",
            "json",
            *models,
        ],
        cwd=ROOT,
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
