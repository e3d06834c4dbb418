"""Serves the site to a browser on this machine, and to nobody else on it."""

from __future__ import annotations

import io
import secrets
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO


class SiteServer(ThreadingHTTPServer):
    """Serves a folder on a free port of 127.0.0.1, at its `address` alone.

    That has a secret path: the port is open to every user of the machine, and to pages in a browser.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(_Files, directory=str(folder)))
        self.path = f"/{secrets.token_urlsafe()}/"
        self.address = f"http://127.0.0.1:{self.server_port}{self.path}"


class _Files(SimpleHTTPRequestHandler):
    def send_head(self) -> io.BytesIO | BinaryIO | None:
        secret = self.server.path  # type: ignore[attr-defined]
        if not self.path.startswith(secret):
            self.send_error(404)
            return None
        self.path = self.path.removeprefix(secret[:-1])
        return super().send_head()

    def log_message(self, *_: Any) -> None:
        pass
