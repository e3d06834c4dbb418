"""`--follow`: applies what others land or withdraw, as soon as it is committed, until Ctrl-C."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path

from ingest.batches.committed import record_keys
from pipeline.apply import Context, apply

# The share of the time that copying and publishing may take.
COPY_SHARE = 0.1


def apply_as_landed(context: Context, dataset: str, runs: Path, poll_seconds: float) -> None:
    """Goes on until it is interrupted; each publication leaves a record of its own in the folder `runs`."""
    context.report.say(f"following {context.store.address(dataset)}; Ctrl-C stops it")
    seen: set[str] = set()
    try:
        while True:
            pause = poll_seconds
            if (records := record_keys(context.store, dataset)) != seen:
                pause = max(pause, _publish(context, dataset, runs))
                seen = records
            time.sleep(pause)
    except KeyboardInterrupt:
        context.report.say("stopped following")


def _publish(context: Context, dataset: str, runs: Path) -> float:
    """Applies what waits; how long to wait before the next time, so that copying does not take too much of it."""
    with context.report.another_run(runs) as run:
        applied = apply(context, dataset)
    copying = sum(seconds for name, seconds in run.steps if name in ("copy", "publish"))
    pause = copying / COPY_SHARE - run.seconds
    if applied is None:
        return pause
    ids = ", ".join(manifest.batch_id for manifest in applied) or "none, all are withdrawn:"
    context.report.say(f"{datetime.now():%H:%M:%S}  batch {ids} queryable after {run.seconds:.1f} s")
    if pause > 0:
        context.report.say(
            f"          {copying:.1f} s of it copying: what comes now is published together, not before "
            f"{datetime.now() + timedelta(seconds=pause):%H:%M:%S}"
        )
    return pause
