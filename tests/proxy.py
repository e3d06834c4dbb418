"""A loopback proxy in front of an S3 endpoint that misbehaves on demand."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

Fault = Literal["reset", "lost", "500", "truncated", "slow"]
Choice = Callable[[str, str], Fault | None]
SLOW_SECONDS = 0.5


def once(fault: Fault, method: str, suffix: str = "") -> Choice:
    """Chooses `fault` for the first request with this method whose path ends so, and none after that."""
    left = [fault]
    return lambda verb, path: left.pop() if left and verb == method and path.endswith(suffix) else None


def always(fault: Fault, method: str, suffix: str = "") -> Choice:
    """Chooses `fault` for every request with this method whose path ends so."""
    return lambda verb, path: fault if verb == method and path.endswith(suffix) else None


@contextmanager
def faulty_proxy(endpoint: str, choose: Choice) -> Iterator[str]:
    """The URL of a proxy before `endpoint`; `choose(method, path)` names a request's fault, or None.

    `reset`: closed before anything is forwarded; `lost`: forwarded, the answer withheld; `500`: not forwarded;
    `truncated`: half of the answer's body; `slow`: late by half a second.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(urlsplit(endpoint), choose))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _handler(upstream: object, choose: Choice) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _relay(self) -> None:
            fault = choose(self.command, urlsplit(self.path).path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if fault == "reset":
                self.close_connection = True
                return
            if fault == "500":
                self._answer(500, [], b"<Error><Code>InternalError</Code><Message>injected</Message></Error>")
                return
            connection = http.client.HTTPConnection(upstream.hostname, upstream.port, timeout=60)  # type: ignore[attr-defined]
            headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            if fault == "lost":
                self.close_connection = True
                return
            if fault == "slow":
                time.sleep(SLOW_SECONDS)
            self._answer(answer.status, answer.getheaders(), content, cut=fault == "truncated")

        def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes, *, cut: bool = False) -> None:
            self.send_response(status)
            kept = [
                (n, v) for n, v in headers if n.lower() not in {"transfer-encoding", "date", "server", "connection"}
            ]
            if not any(name.lower() == "content-length" for name, _ in kept):
                kept.append(("Content-Length", str(len(body))))
            for name, value in kept:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = self.close_connection or cut

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _relay

        def log_message(self, format: str, *args: object) -> None:
            """Keeps quiet."""

    return Handler
