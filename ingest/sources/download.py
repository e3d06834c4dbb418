"""One file over HTTP: streamed to a folder of its own, retried, verified, with a progress bar."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pooch
import requests
from requests import exceptions
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from ingest.errors import SourceError

RETRIES = 2
_TIMEOUT = (10.0, 60.0)  # seconds to connect, seconds without a byte
_BY_HAND = "Download it by hand and give it with --source PATH"


def download(url: str, folder: Path, md5: str | None) -> Path:
    """The file at `url`, in `folder` under its own name; a cut download is started anew, `RETRIES` times.

    Raises SourceError if it cannot be had or, where an `md5` is given, has another.
    """
    name = url.rpartition("/")[2]
    files = pooch.create(
        folder,
        base_url="",
        registry={name: f"md5:{md5}" if md5 else None},
        urls={name: url},
        retry_if_failed=RETRIES,
    )
    pooch.get_logger().setLevel("ERROR")
    try:
        with _progress() as progress:
            bar = _Bar(progress, name)
            return Path(files.fetch(name, downloader=pooch.HTTPDownloader(bar, chunk_size=1 << 18, timeout=_TIMEOUT)))
    except requests.RequestException as problem:
        raise SourceError(f"cannot download {without_credentials(url)}: {_why(problem)}. {_BY_HAND}") from problem
    except ValueError as problem:
        raise SourceError(
            f"{without_credentials(url)} does not have the md5 {md5}, in {RETRIES + 1} tries: it is damaged "
            "or not what its name says, and was not kept"
        ) from problem


def published_md5(url: str) -> str | None:
    """The md5 in the file `<url>.md5`; None if there is no such file. SourceError if that cannot be known."""
    try:
        with closing(requests.get(f"{url}.md5", timeout=_TIMEOUT)) as answer:
            if answer.status_code in (403, 404):  # object stores answer 403 for what is not there
                return None
            answer.raise_for_status()
            found = re.search(r"\b[0-9a-fA-F]{32}\b", answer.text[:1000])
            return found[0].lower() if found else None
    except requests.RequestException as problem:
        raise SourceError(f"cannot download {without_credentials(url)}: {_why(problem)}. {_BY_HAND}") from problem


def without_credentials(url: str) -> str:
    """`url` as it may be shown: without user, password and query."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))


def _why(problem: requests.RequestException) -> str:
    if problem.response is not None:
        return f"the server answered {problem.response.status_code} {problem.response.reason}"
    if isinstance(problem, exceptions.Timeout):
        return "no answer in time"
    if isinstance(problem, exceptions.ChunkedEncodingError):
        return f"the connection was cut, {RETRIES + 1} times"
    if isinstance(problem, ValueError):  # the classes of requests for an address that is none
        return "this is no http address (see MOVIELENS_RELEASES_URL)"
    return "no connection (is there a network, and does it need a proxy?)"


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (
        TextColumn("download {task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


class _Bar:
    """What pooch asks of a progress bar: a total, set when it is known, and updates in bytes."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress, self._task = progress, progress.add_task(name, total=None)
        self._total = 0

    @property
    def total(self) -> int:
        return self._total

    @total.setter
    def total(self, count: int) -> None:  # set at the start of each try
        self._total = count
        self._progress.reset(self._task, total=count or None)

    def update(self, count: int) -> None:
        self._progress.update(self._task, advance=count)

    def reset(self) -> None:
        self._progress.reset(self._task)

    def close(self) -> None:
        self._progress.stop_task(self._task)
