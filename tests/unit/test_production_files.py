"""The workflows and the AWS template give each job and role what it needs and no more."""

from __future__ import annotations

import re
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingest.manifest import part_key, record_key

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
TESTING = {"tests", "plain-pip", "lint", "minio", "emulator"}


class Template(yaml.SafeLoader):
    """YAML with CloudFormation's short tags: what a tag holds stands for it."""


Template.add_multi_constructor("!", lambda loader, _, node: getattr(loader, f"construct_{node.id}")(node))


def jobs(workflow: Path) -> dict[str, Any]:
    return yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    text = (ROOT / "pipeline/aws/bucket-and-role.yml").read_text(encoding="utf-8")
    return yaml.load(text, Template)


@pytest.fixture(scope="module")
def resources(template: dict[str, Any]) -> dict[str, Any]:
    return template["Resources"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_what_a_workflow_runs_is_pinned_and_no_shell_line_expands_a_value(workflow: Path) -> None:
    for name, job in jobs(workflow).items():
        assert "permissions" in job, name
        for step in job["steps"]:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step.get("uses", "a/b@" + "0" * 40))
            assert "${{" not in step.get("run", "")
            for image in re.findall(r"docker run .*?(\S+/\S+) server", step.get("run", ""), re.DOTALL):
                assert re.fullmatch(r"[\w/]+:[\w.-]+@sha256:[0-9a-f]{64}", image)


def test_production_is_reached_from_main_alone_after_every_test_is_green() -> None:
    found = jobs(ROOT / ".github/workflows/ci.yml")
    assert (
        set(found["production"]["needs"]) == TESTING == set(found) - {"site", "production", "diff"}
    )  # the last only reports
    assert "github.ref == 'refs/heads/main'" in found["production"]["if"]
    assert found["production"]["concurrency"]["cancel-in-progress"] is False
    shown = re.search(r"concurrency: (.*)", (ROOT / "docs/schedule.md").read_text(encoding="utf-8"))
    assert shown and yaml.safe_load(shown[1]) == found["production"]["concurrency"]  # one writer, whoever starts it


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [
        ("", "-s prod -- sample"),
        ("000007", "-s prod -- sample --accept 000007"),
        ("7", None),
        ("0000070", None),
        ("000007 --rebuild", None),
        ("$(id)", None),
        ("00000a\n", None),
    ],
)
def test_production_accepts_a_batch_by_its_six_digits_and_passes_on_nothing_else(
    given: str, passed_on: str | None, tmp_path: Path
) -> None:
    steps = jobs(ROOT / ".github/workflows/ci.yml")["production"]["steps"]
    (step,) = [each for each in steps if "nox -s prod" in each.get("run", "")]
    assert step["env"]["ACCEPT"] == "${{ inputs.accept }}"
    (tmp_path / "nox").write_text('#!/bin/sh\necho "$@" > passed-on\n')
    (tmp_path / "nox").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "ACCEPT": given, "DATASET": "sample"}
    ran = subprocess.run(["bash", "-e", "-c", step["run"]], cwd=tmp_path, env=environment, check=False)
    assert (ran.returncode == 0) == (passed_on is not None)
    seen = tmp_path / "passed-on"
    assert (seen.read_text().strip() if seen.exists() else None) == passed_on


def test_only_the_site_and_production_may_sign_in_elsewhere() -> None:
    may = {name for path in WORKFLOWS for name, job in jobs(path).items() if "id-token" in job["permissions"]}
    assert may == {"site", "production"}


def test_github_lands_from_its_production_environment_alone(resources: dict[str, Any]) -> None:
    (trust,) = resources["GitHubRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["StringEquals"] == {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": "repo:${GitHubRepository}:environment:production",
    }


def test_aws_lets_a_session_last_as_long_as_the_job_and_as_it_asks_for(resources: dict[str, Any]) -> None:
    job = jobs(ROOT / ".github/workflows/ci.yml")["production"]
    (asked,) = [
        step["with"]["role-duration-seconds"] for step in job["steps"] if "role-to-assume" in step.get("with", {})
    ]
    assert asked == job["timeout-minutes"] * 60 == resources["GitHubRole"]["Properties"]["MaxSessionDuration"]


def test_landing_may_delete_leftovers_and_its_lock_but_no_manifest_and_no_version(resources: dict[str, Any]) -> None:
    statements = resources["LandingPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (deletes,) = [each for each in statements if "Delete" in str(each["Action"])]
    assert deletes["Action"] == "s3:DeleteObject"
    patterns = [pattern.removeprefix("${Bucket.Arn}/") for pattern in deletes["Resource"]]

    def deletable(key: str) -> bool:
        return any(fnmatchcase(key, pattern) for pattern in patterns)

    assert deletable(part_key("sample/000001/ratings", 0)) and deletable("sample/landing.lock")
    assert deletable("movielens/prod.lock")
    assert not deletable(record_key("sample", "000001")) and not deletable("sample/000001/withdrawn.json")


def test_landing_may_do_what_the_store_s_client_does_and_no_more(resources: dict[str, Any]) -> None:
    calls = {
        "put_object": {"s3:PutObject"}, "get_object": {"s3:GetObject"}, "head_object": {"s3:GetObject"},
        "delete_object": {"s3:DeleteObject"}, "list_objects_v2": {"s3:ListBucket"}, "head_bucket": {"s3:ListBucket"},
        "create_bucket": set(),  # not on AWS
    }  # fmt: skip
    source = (ROOT / "ingest/store/bucket.py").read_text(encoding="utf-8")
    used = set(re.findall(r"_client\.(\w+)\(", source)) | set(re.findall(r'get_paginator\("(\w+)"\)', source))
    needed = {action for call in used - {"get_paginator"} for action in calls[call]}
    statements = resources["LandingPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert needed == {action for each in statements for action in _listed(each["Action"])}


def test_what_is_deleted_or_overwritten_in_the_bucket_can_be_had_back(resources: dict[str, Any]) -> None:
    assert resources["Bucket"]["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert resources["Bucket"]["DeletionPolicy"] == "Retain"


def test_no_version_of_a_committed_part_expires_that_is_the_last_one(resources: dict[str, Any]) -> None:
    rules = resources["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    expiring = [rule["NoncurrentVersionExpiration"] for rule in rules if "NoncurrentVersionExpiration" in rule]
    assert expiring and all(each["NewerNoncurrentVersions"] >= 1 for each in expiring)
    assert not any({"ExpirationInDays", "ExpirationDate"} & set(rule) for rule in rules)


def test_a_bucket_s_name_leaves_room_for_the_names_of_its_roles(template: dict[str, Any]) -> None:
    pattern = template["Parameters"]["BucketName"]["AllowedPattern"]
    named = [each["Properties"] for each in template["Resources"].values() if "RoleName" in each["Properties"]]
    assert len(named) == 2
    for length in range(1, 70):
        fits = all(len(each["RoleName"].replace("${BucketName}", "b" * length)) <= 64 for each in named)
        assert bool(re.fullmatch(pattern, "b" * length)) == (fits and 3 <= length <= 63)


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
