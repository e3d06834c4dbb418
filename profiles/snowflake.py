"""The connection to Snowflake, from the same environment as the dbt profile."""

from __future__ import annotations

import json
import os
import re
import warnings
from pathlib import Path
from typing import Any

from profiles.errors import PipelineError

# The ways to prove who one is, best first.
CREDENTIALS = ("SNOWFLAKE_PRIVATE_KEY_PATH", "SNOWFLAKE_PRIVATE_KEY", "SNOWFLAKE_TOKEN", "SNOWFLAKE_PASSWORD")
TAG = "MOVIELENS_QUERY_TAG"
# An account may have other ones; the bootstrap gives them to the users as whom dbt signs in.
SESSION = {
    "TIMEZONE": "UTC",
    "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
    "DATE_INPUT_FORMAT": "AUTO",
    "TIMESTAMP_INPUT_FORMAT": "AUTO",
}


def missing() -> list[str]:
    """What a connection needs and the environment lacks, in words; empty when nothing."""
    lacking = [name for name in ("SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER") if not os.environ.get(name)]
    authenticator = os.environ.get("SNOWFLAKE_AUTHENTICATOR", "").lower()
    proofs = CREDENTIALS[:2] if authenticator == "snowflake_jwt" else CREDENTIALS
    if authenticator in ("", "snowflake_jwt") and not any(map(os.environ.get, proofs)):
        lacking.append(f"one of {', '.join(proofs)} (a key pair is best)")
    path = os.environ.get("SNOWFLAKE_PRIVATE_KEY_PATH")
    if path and not Path(path).is_file():
        lacking.append(f"the key file that SNOWFLAKE_PRIVATE_KEY_PATH names ({path})")
    return lacking


def database() -> str:
    """The database; the roles that the bootstrap made for it are named after it."""
    return os.environ.get("SNOWFLAKE_DATABASE") or "movielens"


def role(step: str) -> str:
    """The role of a step (`transformer`, `reporter`): SNOWFLAKE_ROLE, or the database's own."""
    return os.environ.get("SNOWFLAKE_ROLE") or f"{database()}_{step}"


def address() -> str:
    """What a person calls the database."""
    return f"Snowflake {os.environ.get('SNOWFLAKE_ACCOUNT', '?')}/{database()}"


def connect(role: str | None = None) -> Any:
    """A connection as the dbt profile makes it; raises `PipelineError` saying what is wrong and how to mend it."""
    if lacking := missing():
        raise PipelineError(f"Snowflake needs {'; '.join(lacking)}: see docs/production.md.")
    # Its copy of requests does not know the newest chardet, which it makes no use of.
    warnings.filterwarnings("ignore", message=r"urllib3 .* doesn't match a supported version")
    import snowflake.connector as connector
    from snowflake.connector.errors import Error

    try:
        return connector.connect(**_arguments(role))
    except (Error, OSError, ValueError, TypeError) as error:
        raise PipelineError(f"{address()} refused the connection: {explain(error)}") from None


def tag(batch: str = "", *, run: str = "") -> None:
    """Says in the environment what this process works on: every later session of any tool carries it as its query tag.

    `run` begins a run; the model of a statement is in the comment that dbt adds to it.
    """
    known = json.loads(os.environ.get(TAG) or "{}")
    os.environ[TAG] = json.dumps({"app": "movielens", "run": run or known.get("run", ""), "batch": batch})


def _arguments(as_role: str | None) -> dict[str, Any]:
    environment = os.environ
    arguments: dict[str, Any] = {
        "account": environment["SNOWFLAKE_ACCOUNT"],
        "user": environment["SNOWFLAKE_USER"],
        "role": as_role or role("transformer"),
        "warehouse": environment.get("SNOWFLAKE_WAREHOUSE") or "movielens",
        "database": database(),
        "autocommit": True,  # an account may have it off, and nothing here commits
        "login_timeout": 30,  # no network_timeout: it would cancel a query that takes longer
        "session_parameters": {"QUERY_TAG": environment.get(TAG) or "movielens", **SESSION},
    }
    if environment.get("SNOWFLAKE_HOST"):  # the emulator
        arguments |= {name: environment[f"SNOWFLAKE_{name.upper()}"] for name in ("host", "port", "protocol")}
    passphrase = environment.get("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE")
    if path := environment.get("SNOWFLAKE_PRIVATE_KEY_PATH"):
        arguments["private_key_file"] = path
        if passphrase:
            arguments["private_key_file_pwd"] = passphrase.encode()
    elif key := environment.get("SNOWFLAKE_PRIVATE_KEY"):
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        arguments["private_key"] = load_pem_private_key(key.encode(), passphrase.encode() if passphrase else None)
    elif token := environment.get("SNOWFLAKE_TOKEN"):
        arguments |= {"authenticator": environment.get("SNOWFLAKE_AUTHENTICATOR") or "oauth", "token": token}
    else:
        known = {"password": "SNOWFLAKE_PASSWORD", "authenticator": "SNOWFLAKE_AUTHENTICATOR"}  # or a person's browser
        arguments |= {name: environment[variable] for name, variable in known.items() if environment.get(variable)}
    return arguments


# What a message of Snowflake's says, as a pattern, and what to do.
ADVICE = {
    "JWT token is invalid": "the key is not the user's, or was exchanged: run the bootstrap with its public key",
    "Incorrect username or password": "check SNOWFLAKE_USER and the password",
    "authentication token has expired|session no longer exists|token .*expired": "sign in again: run the command once more",
    "(password|token|key).* (expired|disabled)|user .* (locked|disabled)": "an administrator must renew or unlock it",
    "Unable to load PEM|not? (be )?deserialize": "the private key is no PEM file, or its passphrase is wrong or missing",
    "Bad decrypt": "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE is wrong",
    "Password was not given": "the key is encrypted: set SNOWFLAKE_PRIVATE_KEY_PASSPHRASE",
    "does not exist or not authorized|Insufficient privileges": "a grant is missing, or an object: run "
    "`nox -s prod -- --bootstrap` as an administrator, which makes both",
    "cannot be resumed|resource monitor|exceeded .*quota": "the month's credits are used up: raise "
    "MOVIELENS_CREDIT_QUOTA and run the bootstrap, or wait for the next month",
    "No active warehouse": "SNOWFLAKE_WAREHOUSE names none that the role may use",
    "statement timeout|timed? ?out.*cancel|cancell?ed": "it was cancelled by a person or after the warehouse's "
    "STATEMENT_TIMEOUT_IN_SECONDS; nothing of its transaction stays: run again",
    "backend|Failed to connect to DB|Connection (reset|aborted|refused)|Max retries|(250001|250003|290404)": "the "
    "network or SNOWFLAKE_ACCOUNT is wrong; nothing of an open transaction stays: run again",
}


def explain(error: object) -> str:
    """An error of Snowflake's in one line: what is wrong and how to mend it."""
    text = " ".join(str(error).split())
    advice = next((f" — {advice}" for sign, advice in ADVICE.items() if re.search(sign, text, re.IGNORECASE)), "")
    return text[:1000] + advice
