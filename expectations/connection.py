"""Where each target's warehouse is, from the environment alone; nothing secret reaches a file of Great Expectations.

GX keeps its data source in a file. What stands there is an address without credentials: they are added the moment
SQLAlchemy connects.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

TARGETS = ("dev", "prod", "ci")


class ConnectionNeeds(Exception):
    """The environment does not say how to reach the warehouse: what is missing, and what to do."""


@dataclass(frozen=True)
class Address:
    """A warehouse: its SQLAlchemy `url` and `connect_args`, both fit for a file, and the `prefix` of its schemas."""

    url: str
    connect_args: dict[str, Any] = field(default_factory=dict)
    prefix: str = ""


def data_dir() -> Path:
    """The folder of run-time state (MOVIELENS_DATA_DIR)."""
    return Path(os.environ.get("MOVIELENS_DATA_DIR") or "data").resolve()


def address(target: str) -> Address:
    """The warehouse of a target; raises ConnectionNeeds when the environment does not name it."""
    prefix = os.environ.get("MOVIELENS_SCHEMA_PREFIX", "")
    if target == "dev":
        warehouse = data_dir() / "warehouse.duckdb"
        if not warehouse.exists():
            raise ConnectionNeeds(f"{warehouse} is not there: `nox -s dev` builds it, MOVIELENS_DATA_DIR names another folder.")
        return Address(f"duckdb:///{warehouse}", {"read_only": True}, prefix)
    missing = [name for name in ("SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER") if not os.environ.get(name)]
    if missing:
        raise ConnectionNeeds(f"{' and '.join(missing)} must be set in the environment to check the Snowflake warehouse.")
    if not _credentials():
        raise ConnectionNeeds(
            "Snowflake needs SNOWFLAKE_PRIVATE_KEY_PATH or SNOWFLAKE_PRIVATE_KEY, SNOWFLAKE_TOKEN or SNOWFLAKE_PASSWORD "
            "in the environment."
        )
    event.listen(Engine, "do_connect", _add_credentials) if not event.contains(Engine, "do_connect", _add_credentials) else None
    database = os.environ.get("SNOWFLAKE_DATABASE") or "movielens"
    args: dict[str, Any] = {
        "account": os.environ["SNOWFLAKE_ACCOUNT"],
        "user": os.environ["SNOWFLAKE_USER"],
        "database": database,
        "schema": f"{prefix}raw",
        "role": os.environ.get("SNOWFLAKE_ROLE") or "movielens_transformer",
        "warehouse": os.environ.get("SNOWFLAKE_WAREHOUSE") or "movielens",
        "session_parameters": {"QUERY_TAG": "movielens expectations", "TIMEZONE": "UTC"},
    }
    args |= {name: os.environ[f"SNOWFLAKE_{name.upper()}"] for name in ("host", "protocol") if os.environ.get(f"SNOWFLAKE_{name.upper()}")}
    if port := os.environ.get("SNOWFLAKE_PORT"):
        args["port"] = int(port)
    return Address(f"snowflake://{args['user']}@{args['account']}/{database}", args, prefix)


def _credentials() -> dict[str, Any]:
    if path := os.environ.get("SNOWFLAKE_PRIVATE_KEY_PATH"):
        return {"private_key": _private_key(Path(path).read_bytes())}
    if key := os.environ.get("SNOWFLAKE_PRIVATE_KEY"):
        return {"private_key": _private_key(key.encode())}
    if token := os.environ.get("SNOWFLAKE_TOKEN"):
        return {"token": token, "authenticator": os.environ.get("SNOWFLAKE_AUTHENTICATOR") or "oauth"}
    if password := os.environ.get("SNOWFLAKE_PASSWORD"):
        return {"password": password}
    return {}


def _private_key(text: bytes) -> bytes:
    """The key as the connector wants it, DER without encryption; the text is PEM, or DER in base64."""
    import base64

    from cryptography.hazmat.primitives import serialization

    passphrase = os.environ.get("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE")
    secret = passphrase.encode() if passphrase else None
    if b"-----BEGIN" in text:
        key = serialization.load_pem_private_key(text, secret)
    else:
        key = serialization.load_der_private_key(base64.b64decode(text), secret)
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _add_credentials(dialect: Any, _record: Any, _args: Any, parameters: dict[str, Any]) -> None:
    if dialect.name == "snowflake":
        parameters.update(_credentials())
