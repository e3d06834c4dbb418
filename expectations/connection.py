"""Where each target's warehouse is, from the environment alone.

Great Expectations keeps its data source in a file and tries a connection when one is added. What stands in that file
is an engine and no address: the address, and whatever is secret, is added the moment SQLAlchemy connects, and on
DuckDB only while a stage is checked. Until then its connections lead into memory: the warehouse need not be there, and
another process may hold it.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakSet

from sqlalchemy import event, make_url
from sqlalchemy.engine import Connection, Engine


class ConnectionNeeds(Exception):
    """The environment does not say how to reach the warehouse: what is missing, and what to do."""


@dataclass(frozen=True)
class Address:
    """A warehouse: the SQLAlchemy `url` of its engine, fit for a file; the `prefix` of its schemas; its `file`, if any."""

    url: str
    prefix: str
    file: Path | None = None

    def require(self) -> None:
        """Raises ConnectionNeeds when the warehouse is a file that is not there."""
        if self.file is not None and not self.file.exists():
            raise ConnectionNeeds(
                f"{self.file} is not there: `nox -s dev` builds it, MOVIELENS_DATA_DIR names another folder."
            )


_engines: WeakSet[Engine] = WeakSet()
_open: list[Address] = []


def data_dir() -> Path:
    """The folder of run-time state (MOVIELENS_DATA_DIR)."""
    return Path(os.environ.get("MOVIELENS_DATA_DIR") or "data").resolve()


def address(target: str) -> Address:
    """The warehouse of a target (`dev`, `prod` or `ci`); raises ConnectionNeeds when the environment does not name it."""
    prefix = os.environ.get("MOVIELENS_SCHEMA_PREFIX", "")
    if target == "dev":
        file = os.environ.get("MOVIELENS_WAREHOUSE") or data_dir() / "warehouse.duckdb"
        return _led(Address("duckdb:///:memory:", prefix, Path(file)))
    missing = [name for name in ("SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER") if not os.environ.get(name)]
    if missing:
        raise ConnectionNeeds(
            f"{' and '.join(missing)} must be set in the environment to check the Snowflake warehouse."
        )
    if not _credentials():
        raise ConnectionNeeds(
            "Snowflake needs SNOWFLAKE_PRIVATE_KEY_PATH or SNOWFLAKE_PRIVATE_KEY, SNOWFLAKE_TOKEN or SNOWFLAKE_PASSWORD "
            "in the environment."
        )
    return _led(Address("snowflake://user@organisation-account", prefix))


def _led(where: Address) -> Address:
    """Sees to it that the engine's connections lead where this module says."""
    # The class of the very dialect: duckdb-engine overrides the flag that a listener on Engine would set.
    dialect = make_url(where.url).get_dialect()
    if not event.contains(dialect, "do_connect", _lead):
        event.listen(dialect, "do_connect", _lead)
    return where


@contextmanager
def connected(where: Address) -> Iterator[None]:
    """While it lasts, connections lead to the warehouse; then all are closed. Raises ConnectionNeeds without it."""
    where.require()
    _close_all()
    _open.append(where)
    try:
        yield
    finally:
        _open.pop()
        _close_all()


def _close_all() -> None:
    # GX keeps engines of its own, and DuckDB's file has one process at a time: none may stay open.
    for engine in list(_engines):
        engine.dispose()


@event.listens_for(Engine, "engine_connect")
def _remember(connection: Connection) -> None:
    _engines.add(connection.engine)


def _lead(dialect: Any, _record: Any, _args: Any, parameters: dict[str, Any]) -> None:
    if dialect.name == "duckdb" and _open:
        parameters |= {"database": str(_open[-1].file), "read_only": True}
    elif dialect.name == "snowflake":
        parameters.clear()
        parameters |= _snowflake() | _credentials()


def _snowflake() -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "account": os.environ["SNOWFLAKE_ACCOUNT"],
        "user": os.environ["SNOWFLAKE_USER"],
        "database": os.environ.get("SNOWFLAKE_DATABASE") or "movielens",
        "role": os.environ.get("SNOWFLAKE_ROLE")
        or f"{os.environ.get('SNOWFLAKE_DATABASE') or 'movielens'}_transformer",
        "warehouse": os.environ.get("SNOWFLAKE_WAREHOUSE") or "movielens",
        "session_parameters": {"QUERY_TAG": os.environ.get("MOVIELENS_QUERY_TAG") or "movielens", "TIMEZONE": "UTC"},
    }
    for name in ("host", "protocol"):
        if text := os.environ.get(f"SNOWFLAKE_{name.upper()}"):
            parameters[name] = text
    if port := os.environ.get("SNOWFLAKE_PORT"):
        parameters["port"] = int(port)
    return parameters


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
    from cryptography.hazmat.primitives import serialization

    passphrase = (os.environ.get("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE") or "").encode() or None
    try:
        if b"-----BEGIN" in text:
            key = serialization.load_pem_private_key(text, passphrase)
        else:
            key = serialization.load_der_private_key(base64.b64decode(text), passphrase)
    except (ValueError, TypeError):
        raise ConnectionNeeds(
            "The Snowflake private key cannot be read: it must be PEM (or DER in base64), and "
            "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE must be its passphrase if it has one."
        ) from None
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
