"""`python -m pipeline.site`: builds the site, and serves it on this machine when asked."""

from __future__ import annotations

import io
import secrets
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from ingest.text import Console
from pipeline.command_line import one_line_errors
from pipeline.dbt import ROOT
from pipeline.site.build import build
from profiles.environment import adopt
from profiles.errors import PipelineError

console = Console(highlight=False, soft_wrap=True)


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


def server(folder: Path, port: int) -> SiteServer:
    """A server of a folder on 127.0.0.1 alone; `port` 0 for any free one. Raises `PipelineError` when it is taken."""
    try:
        return SiteServer(("127.0.0.1", port), partial(Quiet, directory=str(folder)))
    except OSError as error:
        raise PipelineError(
            f"127.0.0.1:{port} cannot be used ({error.strerror}): name another one with --port."
        ) from None


def main(
    out: Annotated[Path, typer.Option(help="The site's folder, replaced as a whole.", file_okay=False)] = ROOT / "site",
    serve: Annotated[bool, typer.Option("--serve", help="Serve it on 127.0.0.1 until Ctrl-C.")] = False,
    port: Annotated[int, typer.Option(help="Where to serve; 0 for any free port.")] = 8000,
) -> None:
    """Builds the site from the current warehouse: its state, lineage, documentation, Data Docs and notebooks."""
    with one_line_errors():
        target = adopt().target
        page = build(out.resolve(), target, lambda text: console.print(f"  {text}", markup=False))
        console.print(str(page), style="green", markup=False)
        if serve:
            with server(page.parent, port) as serving, suppress(KeyboardInterrupt):
                console.print(f"[green]{serving.address}[/] (Ctrl-C stops it)")
                serving.serve_forever()


if __name__ == "__main__":
    typer.run(main)
