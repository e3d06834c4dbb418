"""The emulator's HTTP server, on 127.0.0.1 alone."""

from __future__ import annotations

import gzip
import json
import os
import secrets
import socket
import sys
import threading
from datetime import datetime
from functools import partial
from pathlib import Path

import fakesnow.server as upstream
import s3fs
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from profiles.emulator import results
from profiles.emulator.session import Account, Connection


class Sessions(dict[str, Connection]):
    """The open sessions; one that is deleted ends properly."""

    def __delitem__(self, token: str) -> None:
        self[token].end()
        super().__delitem__(token)


class ObjectStore(s3fs.S3FileSystem):
    """s3fs with what DuckDB asks of a file system; the release that fits boto3's pin does not tell a file's date."""

    def modified(self, path: str) -> datetime:
        """When the object was written."""
        return self.info(path)["LastModified"]


def object_store() -> ObjectStore:
    """The object store that the environment names; DuckDB 2.0's own S3 extension is on no package index."""
    return ObjectStore(
        key=os.environ.get("AWS_ACCESS_KEY_ID"),
        secret=os.environ.get("AWS_SECRET_ACCESS_KEY"),
        token=os.environ.get("AWS_SESSION_TOKEN") or None,
        client_kwargs={"endpoint_url": os.environ.get("S3_ENDPOINT_URL") or None},
        use_listings_cache=False,
        skip_instance_cache=True,
    )


async def answer(request: Request) -> Response:
    """A query's answer; a fault of the emulator is a failed statement, since the connector retries an HTTP 500."""
    try:
        response = await upstream.query_request(request)
        if response.status_code != 500:
            return response
        reason = json.loads(response.body)["message"]
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
    message = f"emulator: {reason[:1000]} (see the emulator's log)"
    data = {"errorCode": "009998", "sqlState": "XX000"}
    return JSONResponse({"data": data, "code": "009998", "message": message, "success": False})


async def login(password: str, request: Request) -> Response:
    """A login's answer: any other password is wrong, and the client gets what it needs to end its session.

    Without a master token, which fakesnow does not send, the connector never tells that a session is over.
    """
    body = await request.body()
    asked = json.loads(gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body)["data"]
    if asked.get("PASSWORD") != password:
        message = "Incorrect username or password was specified."
        return JSONResponse({"data": {}, "code": "390100", "message": message, "success": False})
    answered = json.loads((await upstream.login_request(request)).body)
    answered["data"]["masterToken"] = token = answered["data"]["token"]
    session = upstream.sessions[token]
    session.role, session.warehouse = (request.query_params.get(name, "").upper() for name in ("roleName", "warehouse"))
    session.parameters["query_tag"] = asked.get("SESSION_PARAMETERS", {}).get("QUERY_TAG", "")
    if zone := asked.get("SESSION_PARAMETERS", {}).get("TIMEZONE"):
        session.cursor().execute(f"alter session set timezone = '{zone}'")
    return JSONResponse(answered)


def application(password: str) -> Starlette:
    """Fakesnow's routes, with `login` and `answer` in the place of two, and without its uploads, which ask for none."""
    ours = {"/session/v1/login-request": partial(login, password), "/queries/v1/query-request": answer}
    others = [route for route in upstream.routes if route.path not in ours and "bucket" not in route.path]
    return Starlette(routes=[*(Route(path, endpoint, methods=["POST"]) for path, endpoint in ours.items()), *others])


def serve(folder: Path, port: int, timezone: str, first_row: int) -> None:
    """Serve until SIGTERM or until standard input ends; port and password go to standard output as one line of JSON.

    The password is made for this one server: SQL reads and writes files in the name of whoever runs it.

    Parameters: `folder` for the database files; `port`, 0 for any free one; the others as for `Account`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    account = Account(folder, timezone, first_row)
    account.duck_conn.register_filesystem(object_store())
    upstream.shared_fs = account
    upstream.sessions = Sessions()
    results.install()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    password = secrets.token_urlsafe()
    server = uvicorn.Server(uvicorn.Config(application(password), log_level="info", access_log=False))

    def stop_with_parent() -> None:
        sys.stdin.buffer.read()
        server.should_exit = True

    threading.Thread(target=stop_with_parent, daemon=True).start()
    listener.listen()
    print(json.dumps({"port": listener.getsockname()[1], "password": password}), flush=True)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nobody reads the pipe any more: once full, it would block
    server.run(sockets=[listener])
    for session in list(upstream.sessions.values()):
        session.end()
    account.duck_conn.close()
