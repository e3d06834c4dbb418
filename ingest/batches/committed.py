"""Reads the committed batches of an object store: those with a manifest. Withdrawn ones no longer count.

Their parts are held against the manifest before anybody loads them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from pydantic import ValidationError

from ingest.batches.manifest import (
    BATCH_PREFIX,
    FORMAT_VERSION,
    NEWER,
    Manifest,
    Part,
    Withdrawal,
    manifest_key,
    withdrawal_key,
)
from ingest.errors import BatchError
from ingest.store.bucket import Store

_THREADS = 8


def committed(store: Store, dataset: str, after: str | None = None) -> list[Manifest]:
    """The batches of a data set that count and follow the batch id `after` (None: all), in commit order.

    Raises `BatchError` for a manifest that is not one.
    """
    ids = [batch_id for batch_id in _ids(store, dataset) if after is None or batch_id > after]
    with ThreadPoolExecutor(_THREADS) as threads:
        found = threads.map(lambda batch_id: _counting(store, dataset, batch_id), ids)
        return [manifest for manifest in found if manifest]


def latest(store: Store, dataset: str) -> Manifest | None:
    """The batch of a data set that was committed last among those that count, None when there is none."""
    ids = reversed(_ids(store, dataset))
    return next(filter(None, (_counting(store, dataset, batch_id) for batch_id in ids)), None)


def withdrawn(store: Store, dataset: str) -> list[Withdrawal]:
    """The records of the batches that were withdrawn, in the order of the batches."""
    with ThreadPoolExecutor(_THREADS) as threads:
        found = threads.map(lambda batch_id: _withdrawal(store, dataset, batch_id), _ids(store, dataset))
        return [record for record in found if record]


def committed_ids(store: Store, dataset: str) -> list[str]:
    """The ids of all batches that were ever committed, withdrawn ones included."""
    keys = [(batch_id, key) for batch_id in _ids(store, dataset) for key in _records(dataset, batch_id)]
    with ThreadPoolExecutor(_THREADS) as threads:
        there = threads.map(lambda known: store.head(known[1]), keys)
        return sorted({batch_id for (batch_id, _), found in zip(keys, there, strict=True) if found})


def record_keys(store: Store, dataset: str) -> set[str]:
    """The keys of a data set's manifests and withdrawals: others whenever a batch is committed or withdrawn."""
    records = ("/manifest.json", "/withdrawn.json")
    return {found.key for found in store.list(f"{dataset}/") if found.key.endswith(records)}


def datasets(store: Store) -> list[str]:
    """The data sets that have a batch that counts, by name."""
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
                f"{store.address(key)} was landed by a newer version of this program ({first['msg']}; this one reads up to "
                f"format {FORMAT_VERSION}): use that version."
            ) from None
        where = ".".join(str(step) for step in first["loc"]) or "the manifest"
        raise BatchError(
            f"{store.address(key)} is not a valid manifest ({where}: {first['msg']}). It was altered after its commit: "
            f"restore it from a copy of the bucket, or go on without it: `nox -s land -- {dataset} --withdraw {batch_id}`."
        ) from None
    if manifest.key != key:
        raise BatchError(f"{store.address(key)} is the manifest of {manifest.key}: it was copied or moved. Restore it.")
    return manifest


def verify(store: Store, manifest: Manifest) -> None:
    """Checks that every part of a batch is there with the bytes and the sha256 that its manifest says.

    Raises `BatchError` naming the first part that is missing or was altered after its commit.
    """
    parts = [part for table in manifest.tables.values() for part in table.parts] + list(manifest.rejected)
    with ThreadPoolExecutor(_THREADS) as threads:
        for trouble in threads.map(lambda part: _trouble(store, part), parts):
            if trouble:
                raise BatchError(
                    f"{trouble}: nothing of batch {manifest.batch_id} is loaded. Parts never change after their "
                    f"commit: restore it from the source."
                )


def _counting(store: Store, dataset: str, batch_id: str) -> Manifest | None:
    # the record first: a manifest that cannot be read any more is no obstacle once its batch is withdrawn
    return None if store.head(withdrawal_key(dataset, batch_id)) else read(store, dataset, batch_id)


def _withdrawal(store: Store, dataset: str, batch_id: str) -> Withdrawal | None:
    key = withdrawal_key(dataset, batch_id)
    content = store.get(key)
    if content is None:
        return None
    try:
        return Withdrawal.model_validate_json(content)
    except ValidationError:
        raise BatchError(f"{store.address(key)} is not a record that this version can read: restore it.") from None


def _records(dataset: str, batch_id: str) -> tuple[str, str]:
    return manifest_key(dataset, batch_id), withdrawal_key(dataset, batch_id)


def _ids(store: Store, dataset: str) -> list[str]:
    return sorted(name for name in store.folders(f"{dataset}/") if BATCH_PREFIX.match(name))


def _trouble(store: Store, part: Part) -> str | None:
    found = store.digest(part.key)
    if found is None:
        return f"{store.address(part.key)} is missing"
    size, sha256 = found
    if size != part.bytes:
        return f"{store.address(part.key)} has {size:,} bytes, its manifest says {part.bytes:,}"
    if sha256 != part.sha256:
        return f"{store.address(part.key)} has other content than its manifest says (sha256 {sha256[:12]}…)"
    return None
