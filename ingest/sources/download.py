"""One file over HTTP: streamed to a folder of its own, retried, verified, with a progress bar."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pooch
import requests
from requests import exceptions

from ingest.errors import SourceError

RETRIES = 2
_TIMEOUT = (10.0, 60.0)  # seconds to connect, seconds without a byte


def download(url: str, folder: Path, md5: str | None) -> Path:
    """The file at `url`, in `folder` under its own name; a cut download is started again, `RETRIES` times.

    Raises SourceError if it cannot be had or, where an `md5` is given, has another.
    """
    name = url.rpartition("/")[2]
    registry = {name: f"md5:{md5}" if md5 else None}
    files = pooch.create(folder, base_url="", registry=registry, urls={name: url}, retry_if_failed=RETRIES)
    pooch.get_logger().setLevel("ERROR")
    streamed = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), chunk_size=1 << 18, timeout=_TIMEOUT)
    try:
        return Path(files.fetch(name, downloader=streamed))
    except requests.RequestException as problem:
        raise _unreachable(url, problem) from problem
    except ValueError as problem:
        raise SourceError(
            f"{without_credentials(url)} does not have the md5 {md5}, in {RETRIES + 1} tries: it is damaged "
            "or not what its name says, and was not kept"
        ) from problem


def published_md5(url: str) -> str | None:
    """The md5 in the file `<url>.md5`; None if there is no such file. SourceError if that cannot be known."""
    try:
        with requests.get(f"{url}.md5", timeout=_TIMEOUT) as answer:
            if answer.status_code in (403, 404):  # object stores answer 403 for what is not there
                return None
            answer.raise_for_status()
            found = re.search(r"\b[0-9a-fA-F]{32}\b", answer.text[:1000])
            return found[0].lower() if found else None
    except requests.RequestException as problem:
        raise _unreachable(url, problem) from problem


def without_credentials(url: str) -> str:
    """`url` as it may be shown: without user, password and query."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))


def _unreachable(url: str, problem: requests.RequestException) -> SourceError:
    why = "no connection (is there a network, and does it need a proxy?)"
    if problem.response is not None:
        why = f"the server answered {problem.response.status_code} {problem.response.reason}"
    elif isinstance(problem, exceptions.Timeout):
        why = "no answer in time"
    elif isinstance(problem, exceptions.ChunkedEncodingError):
        why = f"the connection was cut, {RETRIES + 1} times"
    elif isinstance(problem, ValueError):  # the classes of requests for an address that is none
        why = "this is no http address (see MOVIELENS_RELEASES_URL)"
    by_hand = "Download it by hand and give it with --source PATH"
    return SourceError(f"cannot download {without_credentials(url)}: {why}. {by_hand}")
