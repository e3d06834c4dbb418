"""A run's environment is built, not inherited: what a stranger's shell holds changes nothing."""

from __future__ import annotations

import os
import re
from pathlib import Path
from unittest import mock

import pytest
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from ingest.errors import SettingsError
from ingest.settings import Settings
from pipeline.__main__ import app
from profiles import environment
from tests.conftest import REPO

DOCUMENTED = environment.SYSTEM | environment.PROJECT | environment.AWS | environment.SNOWFLAKE
# Variables by which tools change what they do, and no part of what the project documents.
FOREIGN = [
    "DBT_EXCLUDE_RESOURCE_TYPES",
    "DBT_EMPTY",
    "DBT_DEFER",
    "DBT_PROFILE",
    "DBT_TARGET",
    "DBT_SINGLE_THREADED",
    "DBT_STATE",
    "DBT_WARN_ERROR",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_S3_USE_ACCELERATE_ENDPOINT",
    "AWS_SECURITY_TOKEN",
    "SNOWFLAKE_HOST",
    "SNOWFLAKE_HOME",
    "SNOWFLAKE_CONNECTIONS",
    "GX_HOME",
    "GX_CLOUD_ACCESS_TOKEN",
    "PYTHONSTARTUP",
    "PYTHONOPTIMIZE",
    "PYTHONWARNINGS",
    "PYTHONSAFEPATH",
    "FORCE_COLOR",
    "BOTO_CONFIG",
    "DUCKDB_HOME",
    "JUPYTER_PATH",
    "IPYTHONDIR",
    "SQLALCHEMY_WARN_20",
    "MOVIELENS_ACCEPT_BATCHES",
    "MOVIELENS_DBT_PATH",
    "MOVIELENS_DBT_QUERY_TAG",
    "MOVIELENS_RAW_PREFIX",
    "MOVIELENS_QUERY_TAG",
    "WEED_JWT_SIGNING_KEY",
]
names = st.one_of(st.sampled_from(sorted(FOREIGN)), st.from_regex(r"[A-Z_]{1,20}", fullmatch=True))


def built(caller: dict[str, str]) -> dict[str, str]:
    with mock.patch.dict(os.environ, caller, clear=True):
        return environment.built(caller, Settings.read())


PLAIN = built({})


@given(st.dictionaries(names, st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1)))
def test_a_variable_is_passed_on_by_name_or_not_at_all(caller: dict[str, str]) -> None:
    caller = {name: text for name, text in caller.items() if name not in DOCUMENTED and not name.startswith("LC_")}
    assert built(caller) == PLAIN


@pytest.mark.parametrize("name", sorted({name for _, names, *_ in BOTOCORE_DEFAUT_SESSION_VARIABLES.values() for name in (
    [names] if isinstance(names, str) else names or [])}))  # fmt: skip
def test_of_the_sdk_s_variables_only_those_of_the_credential_chain_are_passed_on(name: str) -> None:
    assert (name in built({name: "x"})) == (name in environment.AWS | environment.SYSTEM)


@pytest.mark.parametrize("name", ["DBT_LOG_PATH", "DBT_TARGET_PATH", "DBT_PROJECT_DIR", "GX_ANALYTICS_ENABLED"])
def test_what_the_run_sets_itself_is_not_the_caller_s(name: str) -> None:
    assert built({name: "/somewhere/else"}) == PLAIN


def test_a_proxy_is_never_asked_for_this_machine() -> None:
    assert built({"no_proxy": "intra.example"})["NO_PROXY"] == "intra.example,127.0.0.1,localhost"


def test_readme_lists_the_variables_that_change_a_run_and_no_other() -> None:
    section = re.search(r"^## Settings\n(.*?)^## ", (REPO / "README.md").read_text(), re.M | re.S)
    assert section is not None
    named = set(re.findall(r"`([A-Z][A-Z0-9_]+_[A-Z0-9_]+)`", section[1]))
    assert named == environment.PROJECT | environment.AWS | environment.SNOWFLAKE | {"HTTPS_PROXY", "NO_PROXY"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("S3_BUCKET", bad) for bad in ("My_Company_Bucket", "../x", "a", "a..b", "-ab", "s3://movielens", "a b")),
        *(("S3_ENDPOINT_URL", bad) for bad in ("localhost:9000", "ftp://x", "http://", "http://h:99999", "http://h/?a")),
        *(("MOVIELENS_MEMORY_LIMIT", bad) for bad in ("lots", "-1GB", "0", "4", "4 gigabytes", "1KB", "0GB", "9" * 20 + "TB")),
        *(("MOVIELENS_TARGET", bad) for bad in ("DEV", "production", "ci")),
        *(("MOVIELENS_DATA_DIR", bad) for bad in ("~nobody-of-this-name/x", "/tmp/what?/data", "/tmp/\udcff")),
        *(
            ("MOVIELENS_WAREHOUSE", bad)
            for bad in ("raw.duckdb", "MARTS.duckdb", "main.db", "temp.duckdb", "system.x", "my warehouse.duckdb",
                        "a-b.duckdb", "1.duckdb", "/dev/null", "/usr", "md:mine", "C#.duckdb", "a,b.duckdb", ".duckdb")
        ),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_used_is_one_line_that_names_it(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with mock.patch.dict(os.environ, {name: text}):
        with pytest.raises(SettingsError, match=name):
            Settings.read()
        for command in (["dev"], ["land", "sample"], ["replay", "--batches", "2"], ["list"], ["prod", "--emulator"]):
            answer = CliRunner().invoke(app, command)
            assert answer.exit_code == 1
            assert answer.stderr.count("\n") == 1 and name in answer.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [
    "S3_BUCKET", "S3_ENDPOINT_URL", "MOVIELENS_DATA_DIR", "MOVIELENS_WAREHOUSE", "MOVIELENS_TARGET",
])  # fmt: skip
def test_an_empty_variable_is_an_unset_one(name: str) -> None:
    assert built({name: ""}) == PLAIN


def test_every_later_reader_is_handed_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    relative = built({"MOVIELENS_DATA_DIR": "here", "MOVIELENS_WAREHOUSE": "~/mine.duckdb", "HOME": "/home/someone"})
    assert relative["MOVIELENS_DATA_DIR"] == str(tmp_path / "here")
    assert relative["MOVIELENS_WAREHOUSE"] == "/home/someone/mine.duckdb"
    files = {name: "file" for name in DOCUMENTED if re.search("_(FILE|PATH|DIR|BUNDLE)$|^TMPDIR$", name)}
    files.pop("LD_LIBRARY_PATH"), files.pop("DYLD_LIBRARY_PATH")  # lists
    paths = built(files | {"S3_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert len(files) > 8
    assert {paths[name] for name in files} == {str(tmp_path / "file")}


@pytest.mark.parametrize(
    "options",
    [
        ["dev", "../x"],
        ["dev", "a" * 64],
        ["dev", "a\udcff"],
        ["dev", "--day", "99999999"],
        ["dev", "--ratings", "1" + "0" * 30],
        ["dev", "--max-rejected", "nan"],
        ["dev", "--as-of", "0001-01-01T00:00+14:00"],
        ["land", "\x1b[31m"],
        ["replay", "../x", "--batches", "2"],
        ["replay", "--batches", "1" + "0" * 30],
    ],
)
def test_an_option_that_cannot_be_used_is_refused_before_anything_is_written(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with mock.patch.dict(os.environ):
        answer = CliRunner().invoke(app, options)
    assert answer.exit_code in (1, 2)
    assert isinstance(answer.exception, SystemExit), answer.exception
    assert list(tmp_path.iterdir()) == []
