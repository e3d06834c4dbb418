"""Serves the site to a browser on this machine, and to nobody else on it."""

from __future__ import annotations

import io
import secrets
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO


class SiteServer(ThreadingHTTPServer):
    """Serves a site below a secret path: the port is open to every user of the machine, and to pages in a browser."""

    path = f"/{secrets.token_urlsafe()}/"

    @property
    def address(self) -> str:
        """Where a browser finds the site."""
        return f"http://127.0.0.1:{self.server_port}{self.path}"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """Finds the file of a GET or HEAD."""
        if not self.path.startswith(SiteServer.path):
            self.send_error(404)
            return None
        self.path = self.path.removeprefix(SiteServer.path[:-1])
        return super().send_head()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def server(folder: Path) -> SiteServer:
    """A server of a folder on a free port of 127.0.0.1 alone."""
    return SiteServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
