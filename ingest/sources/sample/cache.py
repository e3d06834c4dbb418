"""Days of the generated sample, kept among the downloads."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

from filelock import FileLock

from ingest.errors import SourceError

_NAME = "sample-{}-day-{}"


def size_and_day(source: str) -> tuple[int, int] | tuple[None, None]:
    """The number of ratings and the day of a generated source, by its name; of any other, nothing."""
    found = re.fullmatch(_NAME.format(r"(\d+)", r"(\d+)"), source)
    return (int(found[1]), int(found[2])) if found else (None, None)


def cached_sample(downloads: Path, *, ratings: int, day: int) -> Path:
    """The folder of a day of the sample; generated unless this very generator made it before.

    Raises `SourceError` for a size or day that cannot be had, and for a disk that refuses.
    """
    folder = downloads / _NAME.format(ratings, day)
    mark, made = folder / "generator.sha256", folder.with_name(f"{folder.name}.part")
    code = b"".join(file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.[pt]*")))
    generator = hashlib.sha256(code).hexdigest()
    try:
        downloads.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not mark.exists() or mark.read_text() != generator:
                from ingest.sources.sample.generate import generate  # numpy, which a cached day does not need

                for stale in (made, folder):
                    shutil.rmtree(stale, ignore_errors=True)
                generate(made, ratings=ratings, day=day)
                (made / mark.name).write_text(generator)
                made.rename(folder)
    except OSError as error:
        raise SourceError(f"cannot write {error.filename or folder}: {error.strerror or error}") from None
    return folder
