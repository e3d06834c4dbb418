"""The notebooks' way to the marts: read-only, alike on both engines, and clear when there is nothing to open."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("ibis", reason="the notebooks' packages are not installed")
duckdb = pytest.importorskip("duckdb")

from notebooks import marts  # noqa: E402
from profiles.errors import PipelineError  # noqa: E402


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a warehouse of one movie."""
    monkeypatch.setenv("MOVIELENS_DATA_DIR", str(tmp_path))
    for name in ("MOVIELENS_TARGET", "MOVIELENS_SCHEMA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        for schema in ("marts", "ci_marts", "raw"):
            connection.execute(f"create schema {schema}")
            connection.execute(f"create table {schema}.dim_movies (MOVIE_ID integer, score decimal(9, 4))")
        connection.execute("insert into marts.dim_movies values (1, 3.5)")
        connection.execute("insert into ci_marts.dim_movies values (2, 4.5), (3, null)")
    return tmp_path


def test_a_missing_warehouse_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIELENS_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("MOVIELENS_TARGET", raising=False)
    with pytest.raises(PipelineError, match=r"no warehouse at .*warehouse\.duckdb.*`nox -s dev`"):
        marts.connect()


def test_a_warehouse_without_marts_says_what_to_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIELENS_SCHEMA_PREFIX", "nobody_")
    with pytest.raises(PipelineError, match="has no marts yet: run `nox -s dev` first"):
        marts.connect()


def test_a_file_that_is_no_warehouse_is_named(folder: Path) -> None:
    (folder / "warehouse.duckdb").write_text("not a database, " * 1000)
    with pytest.raises(PipelineError, match=r"warehouse\.duckdb is not a DuckDB database"):
        marts.connect()


def test_a_warehouse_that_is_being_built_is_not_waited_for(folder: Path) -> None:
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(folder / "warehouse.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "open\n"
        with pytest.raises(PipelineError, match="is open in another program"):
            marts.connect()
        process.stdin.close()


def test_the_marts_cannot_be_written(folder: Path) -> None:
    with pytest.raises(duckdb.InvalidInputException, match="read-only"):
        marts.connect().backend.raw_sql("delete from marts.dim_movies")


def test_columns_are_lower_case_and_decimals_are_floats(folder: Path) -> None:
    found = marts.connect().table("dim_movies")
    assert {name: str(type_) for name, type_ in found.schema().items()} == {"movie_id": "int32", "score": "float64"}


def test_the_schema_prefix_chooses_the_build(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIELENS_SCHEMA_PREFIX", "ci_")
    assert sorted(marts.connect().table("dim_movies").movie_id.to_pandas()) == [2, 3]


def test_counts_are_of_every_relation_and_zero_counts(folder: Path) -> None:
    assert marts.connect().counts("marts", "raw", "nowhere") == {("marts", "dim_movies"): 1, ("raw", "dim_movies"): 0}


def test_a_relative_data_folder_is_in_the_repository_wherever_the_kernel_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MOVIELENS_WAREHOUSE", raising=False)
    monkeypatch.setenv("MOVIELENS_DATA_DIR", "no-such-folder")
    with pytest.raises(PipelineError, match=str(marts.ROOT / "no-such-folder" / "warehouse.duckdb")):
        marts.connect()


def test_snowflake_without_credentials_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIELENS_TARGET", "prod")
    for name in ("ACCOUNT", "USER", "PRIVATE_KEY_PATH", "PRIVATE_KEY", "TOKEN", "PASSWORD"):
        monkeypatch.delenv(f"SNOWFLAKE_{name}", raising=False)
    with pytest.raises(PipelineError, match=r"SNOWFLAKE_ACCOUNT.*SNOWFLAKE_PRIVATE_KEY_PATH"):
        marts.connect()
