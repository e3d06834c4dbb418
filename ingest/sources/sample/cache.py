"""Days of the generated sample, kept among the downloads."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock

from ingest.errors import SourceError
from ingest.schema import Mode

CARD = "sample.json"


@dataclass(frozen=True)
class CachedDay:
    """What a cached day speaks for: `as_of` (UTC), and the mode of each of its tables."""

    as_of: datetime
    modes: dict[str, Mode]


def cached_sample(downloads: Path, *, ratings: int, day: int) -> tuple[Path, CachedDay]:
    """The folder of a day of the sample and what it is; generated unless this very generator made it before.

    Raises `SourceError` for a size or day that cannot be had, and for a disk that refuses.
    """
    folder = downloads / f"sample-{ratings}-day-{day}"
    try:
        downloads.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            return folder, _known(folder) or _made(folder, ratings, day)
    except OSError as error:
        raise SourceError(f"cannot write {error.filename or folder}: {error.strerror or error}") from None


def _known(folder: Path) -> CachedDay | None:
    card = folder / CARD
    known = json.loads(card.read_text()) if card.exists() else {}
    if known.get("generator") != _generator():
        return None
    return CachedDay(datetime.fromisoformat(known["as_of"]), known["modes"])


def _made(folder: Path, ratings: int, day: int) -> CachedDay:
    from ingest.sources.sample import generate  # numpy, which a cached day does not need

    made = folder.with_name(f"{folder.name}.part")
    for stale in (made, folder):
        shutil.rmtree(stale, ignore_errors=True)
    generated = generate(made, ratings=ratings, day=day)
    about = {"generator": _generator(), "as_of": generated.as_of.isoformat(), "modes": generated.modes}
    (made / CARD).write_text(json.dumps(about))
    made.rename(folder)
    return CachedDay(generated.as_of, generated.modes)


def _generator() -> str:
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
