"""`python -m pipeline.bootstrap`: everything that the project needs in a Snowflake account, as idempotent SQL.

With `--dry-run` the SQL is printed for an administrator to read; without, it runs with the environment's SNOWFLAKE_*
credentials, whose user needs the role ACCOUNTADMIN. The AWS side is `pipeline/aws/`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import jinja2
import typer

from profiles import snowflake, warehouse_schemas
from profiles.errors import PipelineError

TEMPLATE = Path(__file__).with_name("bootstrap.sql.j2")
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
KEY, QUOTA = "[A-Za-z0-9+/]", r"[1-9][0-9]{0,4}"
UNKNOWN = "<{}>"  # what a dry run prints where the environment says nothing


# Who owns each schema: who builds it.
SCHEMAS = {**warehouse_schemas.SCHEMAS, "staging": "transformer"}


@dataclass(frozen=True)
class Setting:
    """An environment variable: its `default` (None: required), the `pattern` of its whole value, and what it is."""

    name: str
    pattern: str
    meaning: str
    default: str | None = None


SETTINGS = {
    "database": Setting("SNOWFLAKE_DATABASE", IDENTIFIER.pattern, "the database", "MOVIELENS"),
    "warehouse": Setting("SNOWFLAKE_WAREHOUSE", IDENTIFIER.pattern, "the warehouse", "MOVIELENS"),
    "bucket": Setting("S3_BUCKET", r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the bucket that batches are landed in"),
    "credit_quota": Setting("MOVIELENS_CREDIT_QUOTA", QUOTA, "credits a month for production", "10"),
    "ci_credit_quota": Setting("MOVIELENS_CI_CREDIT_QUOTA", QUOTA, "credits a month for pull requests", "5"),
    "aws_role_arn": Setting(
        "MOVIELENS_AWS_ROLE_ARN",
        r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+",
        "the AWS role that reads the bucket",
    ),
    "external_id": Setting(
        "MOVIELENS_AWS_EXTERNAL_ID",
        r"[\w+=,.@:/-]{2,128}",
        "the external id in that role's trust policy",
        "movielens",
    ),
    "public_key": Setting("MOVIELENS_PUBLIC_KEY", f"{KEY}+=*", "the pipeline user's RSA public key (PEM, or base64)"),
    "public_key_2": Setting("MOVIELENS_PUBLIC_KEY_2", f"{KEY}*=*", "its next key, while keys are exchanged", ""),
    "ci_public_key": Setting("MOVIELENS_CI_PUBLIC_KEY", f"{KEY}*=*", "the key of the user of pull requests", ""),
    "ci_public_key_2": Setting("MOVIELENS_CI_PUBLIC_KEY_2", f"{KEY}*=*", "that user's next key", ""),
}


@dataclass(frozen=True)
class Plan:
    """The values of the SQL, each one validated; `missing` are the variables that the environment does not set."""

    values: Mapping[str, str]
    missing: tuple[Setting, ...] = field(default=())

    @property
    def sql(self) -> str:
        """The whole script, with comments."""
        database, value = self.values["database"], self.values
        roles = {name: f"{database}_{name}" for name in ("loader", "transformer", "reader", "reporter", "ci")}
        monitors = {value["warehouse"]: value["credit_quota"], f"{value['warehouse']}_ci": value["ci_credit_quota"]}
        production = roles["transformer"], roles["loader"], roles["reporter"]
        users = [
            {
                "name": f"{database}_{name}",
                "key": value[key],
                "next_key": value[f"{key}_2"],
                "roles": granted,
                "warehouse": on,
            }
            for name, key, granted, on in (
                ("pipeline", "public_key", production, value["warehouse"]),
                ("ci_runner", "ci_public_key", (roles["ci"],), f"{value['warehouse']}_ci"),
            )
            if value[key]
        ]
        engine = jinja2.Environment(  # noqa: S701 it writes SQL, and every value is validated
            trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
        )
        engine.filters["text"] = lambda text: "'" + str(text).replace("\\", "\\\\").replace("'", "''") + "'"
        return engine.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
            **value, roles=roles, users=users, monitors=monitors, schemas=SCHEMAS, permanent=warehouse_schemas.PERMANENT,
            integration=f"{database}_s3", bucket_url=f"s3://{value['bucket']}/",
        )  # fmt: skip

    @property
    def statements(self) -> list[str]:
        """The statements one by one. No value can hold a semicolon, since each is validated."""
        code = re.sub(r"^--.*\n", "", self.sql, flags=re.MULTILINE)
        return [statement.strip() for statement in re.split(r";\s*\n", code) if statement.strip()]


def plan(environment: Mapping[str, str]) -> Plan:
    """The values that the environment gives. Raises PipelineError for one that is not of its form."""
    values, missing = {}, []
    for key, setting in SETTINGS.items():
        given = environment.get(setting.name) or setting.default
        if given is None:
            missing.append(setting)
            given = UNKNOWN.format(setting.name)
        else:
            given = re.sub(r"-----[A-Z ]+-----|\s", "", given) if "public_key" in key else given
            if not re.fullmatch(setting.pattern, given):
                raise PipelineError(f"{setting.name} is not {setting.meaning}: it must match {setting.pattern}")
        values[key] = given
    return Plan(values, tuple(missing))


def run(plan: Plan, connection: Any) -> None:
    """Execute the plan on a connection. Raises PipelineError, with the statement that failed and what to do."""
    if plan.missing:
        names = ", ".join(f"{setting.name} ({setting.meaning})" for setting in plan.missing)
        raise PipelineError(f"The bootstrap needs {names}. Set it and run again; nothing was changed.")
    cursor = connection.cursor()
    for statement in plan.statements:
        try:
            cursor.execute(statement)
        except Exception as error:
            first = statement.splitlines()[0]
            raise PipelineError(
                f"The bootstrap stopped at `{first}`: {snowflake.explain(error)}. The statements before it are "
                "done; every one is safe to run again with the role ACCOUNTADMIN."
            ) from None


def main(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the SQL and change nothing.")] = False,
) -> None:
    """Prepare a Snowflake account for the project."""
    try:
        found = plan(os.environ)
        if dry_run:
            print(found.sql)
            for setting in found.missing:
                typer.echo(f"-- {setting.name} is not set: {setting.meaning}", err=True)
            return
        run(found, snowflake.connect("accountadmin"))
        print(f"Snowflake is ready. Next: the trust policy, with `desc integration {found.values['database']}_s3`.")
    except PipelineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    typer.run(main)
