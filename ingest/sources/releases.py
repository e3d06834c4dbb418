"""The GroupLens releases by name: downloaded once, verified, cached.

All but ml-32m and the `latest` releases are pinned to the md5 of their zip, ml-32m to that of each of its
files. GroupLens regenerates the `latest` ones now and then: they are checked against the md5 published beside
them, if any, and else only against the check sums inside the zip; a note says which.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from ingest.errors import SourceError
from ingest.schema import DATASET_NAME
from ingest.settings import Settings
from ingest.text import Console


@dataclass(frozen=True)
class Release:
    """A release: its `name`; the `md5` of the zip; `md5_by_file` where only its files have one.

    `regenerated`: GroupLens replaces the archive under the same name, so `md5` is that of one edition only.
    """

    name: str
    md5: str | None = None
    md5_by_file: dict[str, str] = field(default_factory=dict)
    regenerated: bool = False


RELEASES: dict[str, Release] = {
    release.name: release
    for release in (
        Release("ml-100k", md5="0e33842e24a9c977be4e0107933c0723"),
        Release("ml-1m", md5="c4d9eecfca2ab87c1945afe126590906"),
        Release("ml-10m", md5="ce571fd55effeba0271552578f2648bd"),
        Release("ml-latest-small", md5="31a303aabbc519bd33d025e44d6c2570", regenerated=True),
        Release("ml-20m", md5="cd245b17a1ae2cc31bb14903e1204af3"),
        Release("ml-25m", md5="6b51fb2759a8657d3bfcbfc42b592ada"),
        Release(
            "ml-32m",
            md5_by_file={
                "ratings.csv": "cf12b74f9ad4b94a011f079e26d4270a",
                "movies.csv": "0df90835c19151f9d819d0822e190797",
                "tags.csv": "963bf4fa4de6b8901868fddd3eb54567",
                "links.csv": "8f033867bcb4e6be8792b21468b4fa6e",
            },
        ),
        Release("ml-latest", regenerated=True),
    )
}


def resolve(dataset: str, settings: Settings) -> Path:
    """The zip of the release of that name, cached or from GroupLens.

    Where no md5 is pinned, what was verified is said on stderr. Raises SourceError for an unknown name, a failed
    download and a wrong checksum.
    """
    release = known(dataset)
    try:
        return _cached(release, settings)
    except OSError as problem:
        raise SourceError(f"cannot write to {settings.downloads}: {problem.strerror or problem}") from problem


def check_name(dataset: str) -> None:
    """Raises SourceError for what cannot name a data set."""
    if not re.fullmatch(DATASET_NAME, dataset):
        raise SourceError(f"{dataset!r} cannot name a data set: use up to 63 lower-case letters, digits and hyphens")


def known(dataset: str) -> Release:
    """The release of a name; raises SourceError with the nearest name where there is none."""
    if dataset in RELEASES:
        return RELEASES[dataset]
    names = ["sample", *RELEASES]
    near = difflib.get_close_matches(dataset, names, n=1, cutoff=0.5)
    hint = f", did you mean {near[0]}?" if near else "."
    raise SourceError(
        f"no data set is called {dataset!r}{hint} Known are {', '.join(names)}; any other name needs "
        "--source PATH, a zip or a folder"
    )


def _cached(release: Release, settings: Settings) -> Path:
    cache = settings.downloads
    cache.mkdir(parents=True, exist_ok=True)
    path, seal = cache / f"{release.name}.zip", cache / f"{release.name}.zip.md5"
    with FileLock(cache / f".{release.name}.lock"):
        # The seal is the md5 of what passed verification: not every release has a pinned one.
        expected = seal.read_text().strip() if seal.exists() else release.md5
        if path.exists() and _md5(path) == expected:
            if release.regenerated:
                _say(f"{path} is used as it was downloaded; delete it to get the present {release.name}")
            return path
        # A killed run leaves its unfinished file in this folder, and nothing else is there.
        partial = cache / f".{release.name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        try:
            fresh = _verified(release, settings.releases_url, partial)
            seal.write_text(f"{_md5(fresh)}\n")
            fresh.replace(path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return path


def _verified(release: Release, base_url: str, folder: Path) -> Path:
    # pooch and requests take 0.4 s to import, and most runs download nothing
    from ingest.sources.download import download, published_md5, without_credentials

    url = f"{base_url.rstrip('/')}/{release.name}.zip"
    md5 = published_md5(url) if release.regenerated else release.md5
    path = download(url, folder, md5)
    if md5 is None and (problem := _problem_inside(path, release.md5_by_file)):
        raise SourceError(f"{without_credentials(url)} was not kept: {problem}. Try again, or use --source PATH")
    if release.regenerated:
        _say(f"{release.name}: {_what_was_verified(release, _md5(path), md5)}")
    return path


def _problem_inside(path: Path, md5_by_file: dict[str, str]) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            if not md5_by_file and (damaged := archive.testzip()):
                return f"{damaged} is damaged"
            members = {Path(name).name: name for name in archive.namelist()}
            for file, expected in md5_by_file.items():
                if file not in members:
                    return f"{file} is not in it"
                with archive.open(members[file]) as stream:
                    if hashlib.file_digest(stream, "md5").hexdigest() != expected:  # type: ignore[arg-type]
                        return f"{file} does not have the md5 {expected}"
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError) as fault:
        return f"it is not a whole zip archive ({fault})"
    return None


def _what_was_verified(release: Release, found: str, published: str | None) -> str:
    if published:
        return f"verified against the md5 published beside it ({published})"
    if found == release.md5:
        return f"no md5 is published beside it; it is the known edition (md5 {found})"
    return (
        f"no md5 is published beside it, and its own ({found}) is not known here, since GroupLens regenerates this release "
        "now and then: only the check sums inside the zip were verified"
    )


def _say(text: str) -> None:
    Console(stderr=True, highlight=False).print(text, markup=False, soft_wrap=True)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
