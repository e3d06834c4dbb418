"""A real release on the emulator, and what is refused before anything is written."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import mock

import pytest
from click.testing import Result
from typer.testing import CliRunner

pytest.importorskip("fakesnow", reason="the emulator has an environment of its own")

from pipeline.__main__ import app
from tests.snowflake.harness import pair


def test_a_real_release_is_the_same_on_both_targets(tmp_path: Path, releases_folder: Path) -> None:
    with pair(tmp_path) as both:
        both.duckdb("dev", "ml-latest-small", "--source", str(releases_folder / "ml-latest-small.zip"))
        assert "are the same on both targets" in both.snowflake("parity")


def prod(data: Path, **environment: str) -> Result:
    """A run in production by somebody who has set nothing else."""
    with mock.patch.dict(os.environ):
        for name in [name for name in os.environ if name.startswith(("SNOWFLAKE_", "S3_", "AWS_", "MOVIELENS_"))]:
            del os.environ[name]
        os.environ |= {"MOVIELENS_DATA_DIR": str(data), **environment}
        return CliRunner().invoke(app, ["prod"])


def test_prod_without_credentials_names_what_is_missing_and_writes_nothing(tmp_path: Path) -> None:
    refused = prod(tmp_path)
    assert refused.exit_code == 1
    assert "SNOWFLAKE_ACCOUNT" in refused.output and "SNOWFLAKE_USER" in refused.output
    assert "SNOWFLAKE_PRIVATE_KEY_PATH" in refused.output
    assert not list(tmp_path.iterdir())


def test_prod_with_a_key_that_is_none_says_so(tmp_path: Path) -> None:
    refused = prod(
        tmp_path,
        SNOWFLAKE_ACCOUNT="org-name",
        SNOWFLAKE_USER="somebody",
        SNOWFLAKE_PRIVATE_KEY="no key at all",
        S3_ENDPOINT_URL="http://127.0.0.1:9",
        AWS_ACCESS_KEY_ID="key",
        AWS_SECRET_ACCESS_KEY="secret",
    )
    assert refused.exit_code == 1
    assert "no PEM file" in refused.output
    assert "Traceback" not in refused.output and "no key at all" not in refused.output
