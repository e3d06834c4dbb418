"""The whole job where the caller's shell and home folder hold what other tools left there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES

from tests.conftest import REPO
from tests.pipeline.harness import Lab, _parsed

# Each is what a tool does not expect of its own variable, or would obey.
ODD = ("stale", "true", "/etc/hostname")


def dbt_variables() -> set[str]:
    """Every variable that dbt's command line knows."""
    from dbt.cli.main import cli

    commands, found = [cli], set()
    while commands:
        command = commands.pop()
        commands += getattr(command, "commands", {}).values()
        for parameter in command.params:
            names = [parameter.envvar] if isinstance(parameter.envvar, str) else parameter.envvar or ()
            found |= {name for name in names if name.startswith("DBT_")}
    assert isinstance(cli, click.Group) and len(found) > 40
    return found


def sdk_variables() -> set[str]:
    """Every variable that the AWS SDK knows."""
    listed = [names for _, names, *_ in BOTOCORE_DEFAUT_SESSION_VARIABLES.values() if names]
    return {name for names in listed for name in ([names] if isinstance(names, str) else names)} | {
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_REGION",
    }  # fmt: skip


def home(folder: Path) -> Path:
    """A home folder whose files belong to other tools, are damaged, or lead elsewhere."""
    for path, text in {
        ".aws/config": "[default\nno config",
        ".aws/credentials": "no credentials",
        ".duckdb/stored_secrets/mine.duckdb_secret": "damaged",
        ".dbt/profiles.yml": "movielens: {target: nowhere}",
        ".snowflake/config.toml": "no toml",
        ".snowflake/connections.toml": "no toml",
        ".great_expectations/great_expectations.conf": "no conf",
        ".ipython/profile_default/ipython_config.py": "raise SystemExit",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
        (folder / path).chmod(0o666)
    return folder


def job(data: Path, environment: dict[str, str], module: str) -> str:
    """All that the whole job says on a small sample."""
    command = [sys.executable, "-m", module, "dev", "sample", "--ratings", "1000"]
    done = subprocess.run(
        command, cwd=REPO, env=environment | {"MOVIELENS_DATA_DIR": str(data)}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("odd", ODD)
def test_what_other_tools_left_behind_changes_nothing(odd: str, parsed: Path, lab: Lab, tmp_path: Path) -> None:
    data = tmp_path / "C#, Inc/it's $payroll dätä"
    shutil.copytree(parsed, data / "work")
    # the machine's own, less what nox takes away before Python starts
    plain = {name: text for name, text in os.environ.items() if name in {"PATH", "LANG", "TMPDIR"}}
    strange = dict.fromkeys(dbt_variables() | sdk_variables(), odd) | {
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "SNOWFLAKE_AUTHENTICATOR": "externalbrowser",
        "GX_HOME": odd,
        "FORCE_COLOR": "1",
        "MOVIELENS_ACCEPT_BATCHES": "000001",
        "HOME": str(home(tmp_path / "home")),
    }
    # dbt's tests and the gate, which see no other environment than the build does, are asked once.
    whole = odd == ODD[0]
    said = job(data, plain | strange, "pipeline" if whole else "tests.pipeline.harness")
    assert "\x1b" not in said
    if whole:
        with lab.environment():
            project = _parsed("dev")
        tests = sum(node.resource_type == "test" for node in project.nodes.values()) + len(project.unit_tests)
        assert f"{tests} tests passed" in said
