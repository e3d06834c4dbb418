"""The folder in which a landing cuts its parts: one landing of a data set at a time, and nothing stays behind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from ingest.errors import BatchError, IngestError


@contextmanager
def work_folder(landing: Path, dataset: str) -> Iterator[Path]:
    """An empty folder `<landing>/<dataset>`, removed afterwards, as is what killed landings left beside it.

    Raises `BatchError` when another process uses it, and `IngestError` when the disk is full or cannot be written.
    """
    work = landing.absolute() / dataset
    try:
        work.parent.mkdir(parents=True, exist_ok=True)
        for stale in work.parent.glob("*/"):
            with suppress(Timeout), _locked(stale):  # what another process is using stays
                shutil.rmtree(stale, ignore_errors=True)
        with _locked(work):
            work.mkdir()
            try:
                yield work
            finally:
                shutil.rmtree(work, ignore_errors=True)
    except Timeout:
        raise BatchError(f"{work} is in use: another landing of {dataset} is running.") from None
    except OSError as error:
        free = shutil.disk_usage(next(path for path in work.parents if path.exists())).free // 2**20
        raise IngestError(
            f"{error.filename or work}: {error.strerror or error}; {free} MB are free there. Free some space, or set "
            f"MOVIELENS_DATA_DIR to a folder with more of it."
        ) from None


def _locked(work: Path) -> FileLock:
    return FileLock(work.with_name(f"{work.name}.lock"), timeout=0)
