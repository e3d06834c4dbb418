"""The bootstrap gives each role its own step and no other's, takes no hostile value, and may run twice."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pipeline import bootstrap
from profiles import emulator
from profiles.errors import PipelineError

ENVIRONMENT = {
    "S3_BUCKET": "some-bucket",
    "MOVIELENS_AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/some-bucket-snowflake",
    "MOVIELENS_PUBLIC_KEY": "-----BEGIN PUBLIC KEY-----\nMIIB\nIjAN==\n-----END PUBLIC KEY-----\n",
    "MOVIELENS_CI_PUBLIC_KEY": "MIIBCI",
}
GRANT = re.compile(r"grant (?P<what>.+) on (?P<where>.+) to role (?P<role>\S+)( copy current grants)?")


def grants(role: str) -> set[tuple[str, str]]:
    """The rights of a role: what, on what."""
    statements = bootstrap.plan(ENVIRONMENT).statements
    found = [GRANT.fullmatch(statement) for statement in statements if " to role " in statement]
    return {(each["what"], each["where"]) for each in found if each and each["role"] == f"MOVIELENS_{role}"}


def schemas(role: str) -> set[str]:
    return {where.rsplit(".", 1)[1] for what, where in grants(role) if re.search(r"schema \S+\.\w+$", where)}


def test_readers_see_everything_and_write_nothing() -> None:
    assert schemas("reader") == {"staging"}  # all else is granted when it is published
    assert {what for what, _ in grants("reader")} == {"usage", "select"}
    for role in ("reporter", "ci"):
        assert f"grant role MOVIELENS_reader to role MOVIELENS_{role}" in bootstrap.plan(ENVIRONMENT).statements
    assert {what for what, _ in grants("reporter")} == {"usage"}


def test_the_transformer_reads_raw_and_cannot_write_it() -> None:
    on_raw = {what for what, where in grants("transformer") if where.endswith("MOVIELENS.raw")}
    assert on_raw == {"usage"}  # the load that makes a table grants it
    assert not any("landing" in where for _, where in grants("transformer"))


def test_the_loader_sees_no_mart() -> None:
    assert schemas("loader") == {"raw", "ops", "tools"}


def test_continuous_integration_writes_only_schemas_that_it_creates() -> None:
    assert schemas("ci") == {"tools"}
    assert ("create schema", "database MOVIELENS") in grants("ci")


def test_no_role_gets_everything_and_no_user_gets_a_password_or_a_second_role_at_a_time() -> None:
    sql = bootstrap.plan(ENVIRONMENT).sql.lower()
    for word in ("all privileges", "password ="):
        assert word not in sql
    assert sql.count("grant ownership on schema") == sql.count("ownership on") == len(bootstrap.SCHEMAS)
    assert sql.count("type = service") == sql.count("default_secondary_roles = ()") == sql.count("create user") == 2


def test_new_views_are_readable_like_the_old_ones() -> None:
    found = {where for what, where in grants("reader") if what == "select"}
    assert found == {f"{when} views in schema MOVIELENS.staging" for when in ("all", "future")}


def test_every_option_of_the_file_format_is_set() -> None:
    statements = [s for s in bootstrap.plan(ENVIRONMENT).statements if "file format" in s and "grant" not in s]
    for option in (
        "compression = zstd", "skip_header = 1", "field_optionally_enclosed_by = '\"'", "escape = none",
        "escape_unenclosed_field = none", "null_if = ()", "empty_field_as_null = true", "trim_space = false",
        "replace_invalid_characters = false", "error_on_column_count_mismatch = true", "encoding = 'UTF8'",
    ):  # fmt: skip
        assert [option in statement for statement in statements] == [True, True]


def test_nothing_is_replaced_that_holds_data_or_grants() -> None:
    for statement in bootstrap.plan(ENVIRONMENT).statements:
        if statement.startswith("create"):
            first = " ".join(statement.split())
            assert "if not exists" in first or re.match(
                r"create or replace function \S+ varchar\) copy grants ", first
            ), first


def test_a_setting_that_changes_reaches_what_is_there_already() -> None:
    changed = {
        "S3_BUCKET": "another-bucket",
        "MOVIELENS_AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/another",
        "MOVIELENS_AWS_EXTERNAL_ID": "another-id",
        "MOVIELENS_CREDIT_QUOTA": "77",
        "MOVIELENS_CI_CREDIT_QUOTA": "33",
        "MOVIELENS_PUBLIC_KEY": "AnotherKey",
    }
    altered = "\n".join(s for s in bootstrap.plan(ENVIRONMENT | changed).statements if s.startswith("alter"))
    for value in changed.values():
        assert value in altered


def test_a_key_is_exchanged_while_the_one_before_still_works() -> None:
    statements = bootstrap.plan({**ENVIRONMENT, "MOVIELENS_PUBLIC_KEY_2": "NextKey"}).statements
    assert "alter user MOVIELENS_pipeline set rsa_public_key = 'MIIBIjAN=='" in statements
    assert "alter user MOVIELENS_pipeline set rsa_public_key_2 = 'NextKey'" in statements
    assert "alter user MOVIELENS_pipeline unset rsa_public_key_2" in bootstrap.plan(ENVIRONMENT).statements


def test_pull_requests_cannot_spend_production_s_credits() -> None:
    warehouses = {
        role: {where for _, where in grants(role) if where.startswith("warehouse ")}
        for role in ("ci", "reader", "loader")
    }
    assert warehouses == {"ci": {"warehouse MOVIELENS_ci"}, "reader": set(), "loader": {"warehouse MOVIELENS"}}
    roles = re.findall(r"grant role MOVIELENS_(\w+) to role MOVIELENS_ci", bootstrap.plan(ENVIRONMENT).sql)
    assert roles == ["reader"]  # and nothing with production's warehouse
    assert "alter warehouse MOVIELENS_ci set resource_monitor = MOVIELENS_ci" in bootstrap.plan(ENVIRONMENT).statements


def test_every_name_of_an_account_s_objects_follows_the_database_s() -> None:
    renamed = {**ENVIRONMENT, "SNOWFLAKE_DATABASE": "films", "SNOWFLAKE_WAREHOUSE": "small"}
    assert "movielens" not in bootstrap.plan({**renamed, "MOVIELENS_AWS_EXTERNAL_ID": "an-id"}).sql.lower()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SNOWFLAKE_DATABASE", 'x"; drop database y; --'),
        ("SNOWFLAKE_WAREHOUSE", "a b"),
        ("S3_BUCKET", "b'; select 1"),
        ("MOVIELENS_AWS_ROLE_ARN", "arn:aws:iam::1:role/x"),
        ("MOVIELENS_PUBLIC_KEY", "AAAA'; grant role accountadmin to user x; --"),
        ("MOVIELENS_CREDIT_QUOTA", "0"),
        ("MOVIELENS_PUBLIC_KEY_2", "x'"),
        ("MOVIELENS_PUBLIC_KEY", "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"),
    ],
)
def test_a_value_that_is_not_of_its_form_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(PipelineError, match=name):
        bootstrap.plan({**ENVIRONMENT, name: value})


def test_a_public_key_is_taken_as_pem() -> None:
    assert "alter user MOVIELENS_pipeline set rsa_public_key = 'MIIBIjAN=='" in bootstrap.plan(ENVIRONMENT).statements


def test_what_is_missing_is_named_before_anything_is_done() -> None:
    plan = bootstrap.plan({})
    with pytest.raises(PipelineError, match=r"S3_BUCKET.*MOVIELENS_AWS_ROLE_ARN.*MOVIELENS_PUBLIC_KEY"):
        bootstrap.run(plan, connection=None)
    assert "<MOVIELENS_AWS_ROLE_ARN>" in plan.sql


def test_what_the_bootstrap_makes_survives_a_restart_and_a_second_bootstrap(tmp_path: Path) -> None:
    pytest.importorskip("fakesnow", reason="the emulator has an environment of its own")
    rows = []
    for statement in ("create table movielens.raw.kept as select 1 as a", "insert into movielens.raw.kept values (2)"):
        with emulator.running(tmp_path, {}) as server:
            connection = connect(server)
            bootstrap.run(bootstrap.plan(ENVIRONMENT), connection)
            connection.cursor().execute(statement)
            rows = connection.cursor().execute("show schemas in database movielens").fetchall()
            kept = connection.cursor().execute("select count(*) from movielens.raw.kept").fetchall()
            connection.close()
    assert {"RAW", "OPS", "MARTS", "SNAPSHOTS", "STAGING"} <= {str(value) for row in rows for value in row}
    assert kept == [(2,)]


def connect(server: dict[str, str]) -> Any:
    import snowflake.connector

    return snowflake.connector.connect(
        account=server["SNOWFLAKE_ACCOUNT"],
        user=server["SNOWFLAKE_USER"],
        password=server["SNOWFLAKE_PASSWORD"],
        host=server["SNOWFLAKE_HOST"],
        port=int(server["SNOWFLAKE_PORT"]),
        protocol=server["SNOWFLAKE_PROTOCOL"],
    )
