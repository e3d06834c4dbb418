"""The connection to Snowflake, from the same environment as the dbt profile."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError

# The ways to prove who one is, best first.
CREDENTIALS = ("SNOWFLAKE_PRIVATE_KEY_PATH", "SNOWFLAKE_PRIVATE_KEY", "SNOWFLAKE_TOKEN", "SNOWFLAKE_PASSWORD")
EMULATED = "SNOWFLAKE_HOST"


def missing() -> list[str]:
    """What a connection needs and the environment lacks, in words; empty when nothing."""
    lacking = [name for name in ("SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER") if not os.environ.get(name)]
    if not any(os.environ.get(name) for name in CREDENTIALS):
        lacking.append(f"one of {', '.join(CREDENTIALS)} (a key pair is best)")
    path = os.environ.get("SNOWFLAKE_PRIVATE_KEY_PATH")
    if path and not Path(path).is_file():
        lacking.append(f"the key file that SNOWFLAKE_PRIVATE_KEY_PATH names ({path})")
    return lacking


def place() -> str:
    """What a person calls the database."""
    database = os.environ.get("SNOWFLAKE_DATABASE") or "movielens"
    return f"Snowflake {os.environ.get('SNOWFLAKE_ACCOUNT', '?')}/{database}"


def connect(role: str | None = None) -> Any:
    """A connection as the dbt profile makes it; raises `PipelineError` saying what is wrong and how to mend it."""
    if lacking := missing():
        raise PipelineError(f"Snowflake needs {'; '.join(lacking)}: see README, «Production in five steps».")
    # Its copy of requests does not know the newest chardet, which it makes no use of.
    warnings.filterwarnings("ignore", message=r"urllib3 .* doesn't match a supported version")
    import snowflake.connector as connector
    from snowflake.connector.errors import Error

    try:
        return connector.connect(**_arguments(role))
    except (Error, ValueError, TypeError) as error:
        raise PipelineError(f"{place()} refused the connection: {explain(error)}") from None


def _arguments(role: str | None) -> dict[str, Any]:
    environment = os.environ
    arguments: dict[str, Any] = {
        "account": environment["SNOWFLAKE_ACCOUNT"],
        "user": environment["SNOWFLAKE_USER"],
        "role": role or environment.get("SNOWFLAKE_ROLE") or "movielens_transformer",
        "warehouse": environment.get("SNOWFLAKE_WAREHOUSE") or "movielens",
        "database": environment.get("SNOWFLAKE_DATABASE") or "movielens",
        "login_timeout": 30,
        "network_timeout": 600,
        "session_parameters": {"QUERY_TAG": "movielens pipeline", "TIMEZONE": "UTC"},
    }
    if host := environment.get(EMULATED):
        arguments |= {
            "host": host,
            "port": int(environment["SNOWFLAKE_PORT"]),
            "protocol": environment["SNOWFLAKE_PROTOCOL"],
        }
    passphrase = environment.get("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE")
    if path := environment.get("SNOWFLAKE_PRIVATE_KEY_PATH"):
        arguments["private_key_file"] = path
        if passphrase:
            arguments["private_key_file_pwd"] = passphrase.encode()
    elif key := environment.get("SNOWFLAKE_PRIVATE_KEY"):
        arguments["private_key"] = _der(key, passphrase)
    elif token := environment.get("SNOWFLAKE_TOKEN"):
        arguments |= {"authenticator": "oauth", "token": token}
    else:
        arguments["password"] = environment["SNOWFLAKE_PASSWORD"]
    return arguments


def _der(pem: str, passphrase: str | None) -> bytes:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(pem.encode(), passphrase.encode() if passphrase else None)
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def explain(error: BaseException) -> str:
    """A connector's error in one line: what is wrong and how to mend it."""
    text = " ".join(str(error).split())
    hints = {
        "JWT token is invalid": "the key does not belong to the user, or has expired: set the user's RSA_PUBLIC_KEY anew",
        "Incorrect username or password": "check SNOWFLAKE_USER and the password",
        "Unable to load PEM file": "the private key is no PEM file, or its passphrase is wrong or missing",
        "could not be deserialized": "the private key is no PEM file, or its passphrase is wrong or missing",
        "Could not deserialize key": "the private key is no PEM file, or its passphrase is wrong or missing",
        "Bad decrypt": "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE is wrong",
        "Password was not given": "the key is encrypted: set SNOWFLAKE_PRIVATE_KEY_PASSPHRASE",
        "does not exist or not authorized": "run `nox -s prod -- --bootstrap` as an administrator; it makes what is missing",
        "Insufficient privileges": "the role lacks a grant: run `nox -s prod -- --bootstrap` as an administrator",
        "cannot be resumed": "the warehouse is suspended by its resource monitor, or the role may not use it",
        "Could not connect to Snowflake backend": "the network or SNOWFLAKE_ACCOUNT is wrong",
        "Failed to connect to DB": "the network or SNOWFLAKE_ACCOUNT is wrong",
    }
    hint = next((f" — {hint}" for sign, hint in hints.items() if sign.lower() in text.lower()), "")
    return text[:300] + hint
