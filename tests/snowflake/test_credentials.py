"""Each kind of credential reaches the account alike, whichever tool signs in: a fake endpoint sees what is sent."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("snowflake.connector", reason="the connector has an environment of its own")

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from dbt.cli.main import dbtRunner

from profiles import snowflake
from profiles.errors import PipelineError

ROOT = Path(__file__).parents[2]
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PASSPHRASE = "a passphrase"  # of a key that is made here and thrown away


def pem(passphrase: str = "") -> str:
    locked = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    return KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked).decode()


KINDS: dict[str, dict[str, str]] = {
    "a key file": {"SNOWFLAKE_PRIVATE_KEY_PATH": "plain"},
    "an encrypted key file": {"SNOWFLAKE_PRIVATE_KEY_PATH": "locked", "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": PASSPHRASE},
    "a key": {"SNOWFLAKE_PRIVATE_KEY": pem()},
    "an encrypted key": {"SNOWFLAKE_PRIVATE_KEY": pem(PASSPHRASE), "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": PASSPHRASE},
    "an OAuth token": {"SNOWFLAKE_TOKEN": "token"},
    "a programmatic access token": {
        "SNOWFLAKE_TOKEN": "token",
        "SNOWFLAKE_AUTHENTICATOR": "programmatic_access_token",
    },
    "a password": {"SNOWFLAKE_PASSWORD": "password"},
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[dict[str, Any]]]:
    """What is sent to a fake account that refuses every login, and the environment that leads to it."""
    logins: list[dict[str, Any]] = []

    class Account(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            logins.append(json.loads(body)["data"] | {"path": self.path})
            answer = {"data": {}, "code": "390100", "message": "Incorrect username or password", "success": False}
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            pass

    (tmp_path / "plain").write_text(pem())
    (tmp_path / "locked").write_text(pem(PASSPHRASE))
    with ThreadingHTTPServer(("127.0.0.1", 0), Account) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name in (
            "SNOWFLAKE_ROLE",
            "SNOWFLAKE_AUTHENTICATOR",
            "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE",
            *snowflake.CREDENTIALS,
        ):
            monkeypatch.delenv(name, raising=False)
        reached = {
            "SNOWFLAKE_ACCOUNT": "org-account", "SNOWFLAKE_USER": "somebody", "SNOWFLAKE_DATABASE": "films",
            "SNOWFLAKE_HOST": "127.0.0.1", "SNOWFLAKE_PORT": str(server.server_port), "SNOWFLAKE_PROTOCOL": "http",
            "NO_PROXY": "127.0.0.1", "DBT_LOG_PATH": str(tmp_path), "DBT_TARGET_PATH": str(tmp_path),
        }  # fmt: skip
        for name, value in reached.items():
            monkeypatch.setenv(name, value)
        yield logins
        server.shutdown()


def proof(login: dict[str, Any]) -> tuple[Any, ...]:
    """What a login proves itself with, and the role that it asks for."""
    token = login.get("TOKEN")
    if login.get("AUTHENTICATOR") == "SNOWFLAKE_JWT":
        claims = token.split(".")[1]
        token = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["iss"]
    role = login["path"].partition("roleName=")[2].partition("&")[0]
    return login["LOGIN_NAME"], login.get("AUTHENTICATOR"), token, login.get("PASSWORD"), role


@pytest.mark.parametrize("kind", KINDS)
def test_dbt_and_the_pipeline_sign_in_alike(
    kind: str, asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in KINDS[kind].items():
        monkeypatch.setenv(name, str(tmp_path / value) if name.endswith("_PATH") else value)
    assert snowflake.missing() == []
    with pytest.raises(PipelineError, match="check SNOWFLAKE_USER and the password"):
        snowflake.connect()
    ours, asked[:] = proof(asked[0]), []
    folders = ["--project-dir", str(ROOT / "transform"), "--profiles-dir", str(ROOT / "profiles")]
    dbtRunner().invoke(["--quiet", "debug", "--connection", "--target", "prod", *folders])
    assert proof(asked[0]) == ours
    assert any(ours[2:4]) and ours[4] == "films_transformer"


def test_single_sign_on_needs_no_secret(asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    assert any("SNOWFLAKE_PRIVATE_KEY_PATH" in lacking for lacking in snowflake.missing())
    monkeypatch.setenv("SNOWFLAKE_AUTHENTICATOR", "externalbrowser")
    assert snowflake.missing() == []
