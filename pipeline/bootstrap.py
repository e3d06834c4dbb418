"""Everything that the project needs in a Snowflake account, as idempotent SQL. The AWS side is `pipeline/aws/`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.templates import render
from profiles import snowflake, warehouse_schemas
from profiles.errors import PipelineError

IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]{0,62}"
KEY, QUOTA = "[A-Za-z0-9+/]", "[1-9][0-9]{0,4}"
# Who owns each schema: who builds it.
SCHEMAS = {**warehouse_schemas.SCHEMAS, "staging": "transformer"}
ROLES = ("loader", "transformer", "reader", "reporter", "ci")


@dataclass(frozen=True)
class Setting:
    """An environment variable: its `default` (None: required), the `pattern` of its whole value, and what it is."""

    name: str
    pattern: str
    meaning: str
    default: str | None = None


SETTINGS = {
    "database": Setting("SNOWFLAKE_DATABASE", IDENTIFIER, "the database", "MOVIELENS"),
    "warehouse": Setting("SNOWFLAKE_WAREHOUSE", IDENTIFIER, "the warehouse", "MOVIELENS"),
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
    missing: tuple[Setting, ...]

    @property
    def sql(self) -> str:
        """The whole script, with comments; a value that is missing is the variable's name in angle brackets."""
        roles = {name: f"{self.values['database']}_{name}" for name in ROLES}
        permanent = warehouse_schemas.PERMANENT
        return render("bootstrap.sql", **self.values, roles=roles, schemas=SCHEMAS, permanent=permanent)

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
            given = f"<{setting.name}>"
        else:
            given = re.sub(r"-----(BEGIN|END) PUBLIC KEY-----|\s", "", given) if "public_key" in key else given
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
            raise PipelineError(
                f"The bootstrap stopped at `{statement.splitlines()[0]}`: {snowflake.explain(error)}. The statements before "
                "it are done; every one is safe to run again with the role ACCOUNTADMIN."
            ) from None
