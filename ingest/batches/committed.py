"""Reads the committed batches of an object store. A batch exists when its manifest does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from pydantic import ValidationError

from ingest.batches.manifest import BATCH_PREFIX, FORMAT_VERSION, NEWER, Manifest, manifest_key
from ingest.errors import BatchError
from ingest.store.bucket import Store

_THREADS = 8


def committed(store: Store, dataset: str, after: str | None = None) -> list[Manifest]:
    """The committed batches of a data set that follow the batch id `after` (None: all), in commit order.

    Raises `BatchError` for a manifest that is not one.
    """
    ids = [batch_id for batch_id in _ids(store, dataset) if after is None or batch_id > after]
    with ThreadPoolExecutor(_THREADS) as threads:
        found = threads.map(lambda batch_id: read(store, dataset, batch_id), ids)
        return [manifest for manifest in found if manifest]


def latest(store: Store, dataset: str) -> Manifest | None:
    """The batch of a data set that was committed last, None when there is none."""
    return next(filter(None, (read(store, dataset, batch_id) for batch_id in reversed(_ids(store, dataset)))), None)


def datasets(store: Store) -> list[str]:
    """The data sets that have a committed batch, by name."""
    return [name for name in store.folders() if latest(store, name)]


def read(store: Store, dataset: str, batch_id: str) -> Manifest | None:
    """A batch's manifest, validated, None when the batch is not committed; raises `BatchError` when it is broken."""
    key = manifest_key(dataset, batch_id)
    content = store.get(key)
    if content is None:
        return None
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == NEWER:
            raise BatchError(
                f"{store.place(key)} was landed by a newer version of this program ({first['msg']}; this one reads up to "
                f"format {FORMAT_VERSION}): use that version."
            ) from None
        where = ".".join(str(step) for step in first["loc"]) or "the manifest"
        raise BatchError(
            f"{store.place(key)} is not a valid manifest ({where}: {first['msg']}). It was altered after its commit: "
            f"restore it from a copy of the bucket."
        ) from None
    if manifest.key != key:
        raise BatchError(f"{store.place(key)} is the manifest of {manifest.key}: it was copied or moved. Restore it.")
    return manifest


def _ids(store: Store, dataset: str) -> list[str]:
    return sorted(name for name in store.folders(f"{dataset}/") if BATCH_PREFIX.match(name))
