"""Days of the generated sample, kept among the downloads."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from filelock import FileLock

from ingest.errors import SourceError
from ingest.sources.sample.day import SampleDay, as_of


def cached_sample(downloads: Path, *, ratings: int, day: int) -> tuple[Path, SampleDay]:
    """The folder of a day of the sample and what it is; generated unless this very generator made it before.

    Raises `SourceError` for a size or day that cannot be had, and for a disk that refuses.
    """
    folder = downloads / f"sample-{ratings}-day-{day}"
    card, made = folder / "sample.json", folder.with_name(f"{folder.name}.part")
    code = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py"))))
    try:
        downloads.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            known = json.loads(card.read_text()) if card.exists() else {}
            if known.get("generator") == code.hexdigest():
                return folder, SampleDay(as_of(day), known["modes"])
            from ingest.sources.sample.generate import generate  # numpy, which a cached day does not need

            for stale in (made, folder):
                shutil.rmtree(stale, ignore_errors=True)
            generated = generate(made, ratings=ratings, day=day)
            (made / card.name).write_text(json.dumps({"generator": code.hexdigest(), "modes": generated.modes}))
            made.rename(folder)
            return folder, generated
    except OSError as error:
        raise SourceError(f"cannot write {error.filename or folder}: {error.strerror or error}") from None
