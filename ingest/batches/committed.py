"""Reads the committed batches of an object store: those with a manifest. Withdrawn ones no longer count.

Their parts are checked against the manifest before anybody loads them.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

from pydantic import ValidationError

from ingest.errors import BatchError
from ingest.manifest import (
    FORMAT_VERSION,
    NEWER,
    OTHER_SCHEMA,
    Manifest,
    Part,
    Withdrawal,
    record_key,
)
from ingest.store.bucket import Store

_THREADS = 8
_RECORD = re.compile(r"[^/]+/([0-9]{6})/(manifest|withdrawn|accepted)\.json")


def committed(store: Store, dataset: str) -> list[Manifest]:
    """The batches of a data set that count, in commit order; raises `BatchError` for a manifest that is not one."""
    with ThreadPoolExecutor(_THREADS) as threads:
        found = threads.map(lambda batch_id: read(store, dataset, batch_id), _counting(store, dataset))
        return list(filter(None, found))


def latest(store: Store, dataset: str) -> Manifest | None:
    """The batch of a data set that was committed last among those that count, None when there is none."""
    return next((read(store, dataset, batch_id) for batch_id in reversed(_counting(store, dataset))), None)


def withdrawn(store: Store, dataset: str) -> list[Withdrawal]:
    """The records of the batches that were withdrawn, in the order of the batches."""
    ids = sorted(batch_id for batch_id, kind in _records(store, dataset) if kind == "withdrawn")
    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(lambda batch_id: _withdrawal(store, dataset, batch_id), ids))


def accepted_ids(store: Store, dataset: str) -> set[str]:
    """The ids of the batches that are published whatever their checks find."""
    return {batch_id for batch_id, kind in _records(store, dataset) if kind == "accepted"}


def committed_ids(store: Store, dataset: str) -> list[str]:
    """The ids of all batches that were ever committed, withdrawn ones included."""
    return sorted({batch_id for batch_id, _ in _records(store, dataset)})


def next_id(store: Store, dataset: str) -> str:
    """The id of the batch to come; ids are six digits, so that they sort as text."""
    return f"{int(max(committed_ids(store, dataset), default='0')) + 1:06d}"


def record_keys(store: Store, dataset: str) -> set[str]:
    """The keys of a data set's manifests and withdrawals; the set grows with each batch committed or withdrawn."""
    return {f"{dataset}/{batch}/{kind}.json" for batch, kind in _records(store, dataset) if kind != "accepted"}


def datasets(store: Store) -> list[str]:
    """The data sets that have a batch that counts, by name."""
    return [name for name in store.folders() if latest(store, name)]


def read(store: Store, dataset: str, batch_id: str) -> Manifest | None:
    """A batch's manifest, validated, None when the batch is not committed; raises `BatchError` when it is broken."""
    key = record_key(dataset, batch_id)
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
        go_on = f"or go on without it: `nox -s land -- {dataset} --withdraw {batch_id}`."
        if first["type"] == OTHER_SCHEMA:
            raise BatchError(
                f"{store.address(key)} has tables or columns that ingest/schema.py does not list ({first['msg']}): use the "
                f"version of this program that landed it, {go_on}"
            ) from None
        where = ".".join(str(step) for step in first["loc"]) or "the manifest"
        raise BatchError(
            f"{store.address(key)} is not a valid manifest ({where}: {first['msg']}). It was altered after its commit: "
            f"restore it from a copy of the bucket, {go_on}"
        ) from None
    if manifest.key != key:
        raise BatchError(f"{store.address(key)} is the manifest of {manifest.key}: it was copied or moved. Restore it.")
    return manifest


def verify(store: Store, manifest: Manifest) -> None:
    """Checks that every part of a batch is there with the bytes and the sha256 that its manifest says.

    Raises `BatchError` naming the first part that is missing or was altered after its commit.
    """

    def check(part: Part) -> None:
        found = store.digest(part.key)
        if found is None:
            trouble = "is missing"
        elif found[0] != part.bytes:
            trouble = f"has {found[0]:,} bytes, its manifest says {part.bytes:,}"
        elif found[1] != part.sha256:
            trouble = f"has other content than its manifest says (sha256 {found[1][:12]}…)"
        else:
            return
        raise BatchError(
            f"{store.address(part.key)} {trouble}: nothing of batch {manifest.batch_id} is loaded. Parts never change "
            f"after their commit: restore it from the source."
        )

    with ThreadPoolExecutor(_THREADS) as threads:
        for _ in threads.map(check, manifest.parts):
            pass


def _records(store: Store, dataset: str) -> set[tuple[str, str]]:
    """The batch id and the kind (`manifest`, `withdrawn` or `accepted`) of each record, from one listing."""
    found = (_RECORD.fullmatch(each.key) for each in store.list(f"{dataset}/"))
    return {(record[1], record[2]) for record in found if record}


def _counting(store: Store, dataset: str) -> list[str]:
    """The ids of the batches that are committed and not withdrawn, whose manifests may be broken, in order."""
    records = _records(store, dataset)
    return sorted(
        batch_id for batch_id, kind in records if kind == "manifest" and (batch_id, "withdrawn") not in records
    )


def _withdrawal(store: Store, dataset: str, batch_id: str) -> Withdrawal:
    key = record_key(dataset, batch_id, "withdrawn")
    try:
        return Withdrawal.model_validate_json(store.get(key) or b"")
    except ValidationError:
        raise BatchError(f"{store.address(key)} is not a record that this version can read: restore it.") from None
