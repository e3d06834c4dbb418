"""What is said of a landed batch later, by a record beside its manifest: it no longer counts, or it is accepted."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime

from ingest.batches.committed import committed_ids, read, withdrawn
from ingest.batches.lock import landing_lock
from ingest.errors import BatchError
from ingest.manifest import MAX_REASON, Withdrawal, record_key
from ingest.schema import TABLES
from ingest.sources.releases import check_name
from ingest.store.bucket import Store, Taken


def withdraw(
    store: Store, dataset: str, batch_id: str, *, after: bool = False, reason: str = ""
) -> tuple[Withdrawal, ...]:
    """Withdraws a batch, or with `after` all batches that follow it; returns the records.

    Raises `BatchError`, and nothing is withdrawn, for an unknown batch, one that is withdrawn already, and a first
    batch that later ones stand on; likewise while a landing runs.
    """
    check_name(dataset)
    if len(reason) > MAX_REASON:
        raise BatchError(f"a reason has at most {MAX_REASON:,} characters; this one has {len(reason):,}")
    with landing_lock(store, dataset) as lock:
        known = committed_ids(store, dataset)
        gone = {record.batch_id: record for record in withdrawn(store, dataset)}
        counting = [known_id for known_id in known if known_id not in gone]
        if batch_id not in known:
            landed = f"its batches are {_listed(known)}" if known else "nothing of it is landed"
            raise BatchError(f"{dataset} has no batch {batch_id!r}: {landed}.")
        if not after and batch_id in gone:
            raise BatchError(f"{dataset}: batch {batch_id} is withdrawn already, since {_when(gone[batch_id])}.")
        chosen = [known_id for known_id in counting if (known_id > batch_id if after else known_id == batch_id)]
        if not chosen:
            raise BatchError(f"{dataset}: no batch follows {batch_id} that is not withdrawn already.")
        _check_first(store, dataset, [known_id for known_id in counting if known_id not in chosen], chosen)
        now = datetime.now(UTC)
        records = tuple(Withdrawal(dataset=dataset, batch_id=i, reason=reason, withdrawn_at=now) for i in chosen)
        for record in reversed(records):  # whatever ends this early, no batch is left that follows a withdrawn one
            lock.check()
            body = record.model_dump_json(indent=1).encode() + b"\n"
            store.put(record_key(dataset, record.batch_id, "withdrawn"), body)
        return records


def accept(store: Store, dataset: str, batch_id: str) -> None:
    """Records that a batch is to be published whatever its checks find, so that no replay stops at it."""
    with contextlib.suppress(Taken):  # it was accepted before
        body = f'{{"accepted_at": "{datetime.now(UTC).isoformat()}"}}\n'
        store.put(record_key(dataset, batch_id, "accepted"), body.encode())


def _check_first(store: Store, dataset: str, staying: Sequence[str], chosen: Sequence[str]) -> None:
    first = read(store, dataset, staying[0]) if staying else None
    if first is None or first.batch_id < min(chosen):
        return
    whole = {name for name, table in first.tables.items() if table.mode == "full"}
    if missing := [table.file for table in TABLES.values() if table.required and table.name not in whole]:
        raise BatchError(
            f"{dataset}: batch {first.batch_id} stands on {_listed(chosen)}: without it, it would be the first, and the "
            f"first batch needs all of {' and '.join(missing)}. Withdraw the later ones first: "
            f"--withdraw-after {max(chosen)}."
        )


def _when(record: Withdrawal) -> str:
    return f"{record.withdrawn_at:%Y-%m-%d %H:%M} UTC{record.reason and f' ({record.reason})'}"


def _listed(ids: Sequence[str]) -> str:
    return ", ".join(ids) if len(ids) <= 5 else f"{ids[0]} to {ids[-1]}"
