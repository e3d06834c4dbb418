"""Alerts: a run that failed, a closed gate or stale data is reported to MOVIELENS_ALERT_URL, through apprise."""

from __future__ import annotations

import logging
from pathlib import Path

from ingest.settings import Settings
from pipeline.dbt import FAILED
from pipeline.runs import Run

SHOWN = 10


def alert(run: Run, record: Path, settings: Settings) -> str:
    """Sends an alert about a run that failed or found stale data; returns why it could not be sent, or ''.

    The address may hold a secret, and so may what an engine says of a row: neither is ever sent, nor any text of a row
    without MOVIELENS_ALERT_DETAILS.
    """
    if settings.alert_url is None or not (run.outcome == "failed" or run.stale):
        return ""
    import apprise  # a second that only a failed run pays

    logging.getLogger("apprise").disabled = True
    service = apprise.Apprise()
    if not service.add(settings.alert_url.get_secret_value().split()):
        return "no alert was sent: apprise does not know this kind of MOVIELENS_ALERT_URL"
    try:
        sent = service.notify(title=title(run), body=body(run, record, details=settings.alert_details))
    except Exception as error:  # whatever a plugin raises must not hide why the run failed
        return f"no alert was sent: {type(error).__name__}"
    return "" if sent else "no alert was sent: the service at MOVIELENS_ALERT_URL did not accept the message"


def title(run: Run) -> str:
    """One line: the job, what became of it, and where."""
    if run.outcome != "failed":
        return f"movielens {run.job}: the source is stale"
    step = f" in {run.steps[-1][0]}" if run.steps else ""
    return f"movielens {run.job} failed{step}"


def body(run: Run, record: Path, *, details: bool = False) -> str:
    """What was found, of which batches, and what to do."""
    lines = [f"Target {run.target or 'none'}, started {run.started_at:%Y-%m-%d %H:%M} UTC, {run.seconds:.0f} s."]
    if run.batches:
        lines.append(f"Batches: {', '.join(run.batches)}, {run.rows_loaded:,} rows.")
    if run.stale:
        lines.append(f"Stale: {run.stale}. Land a newer batch.")
    failed = [node for node in run.nodes if node.status in FAILED]
    lines += [f"- {node.kind} {node.name}: {node.status}" for node in failed[:SHOWN]]
    errors = [finding for finding in run.findings if finding["severity"] == "error"]
    for finding in errors[:SHOWN]:
        observed = f"{finding['observed']}, expected {finding['expected']}"
        lines.append(f"- batch {finding['batch_id']}, {finding['subject']}: {observed}")
        if details:
            lines += [f"    {row}" for row in finding["rows"]]
    if errors:
        lines.append("Run again with --accept BATCH, take the batch back with --withdraw, or land a corrected one.")
    if details and run.error:
        lines.append(run.error)
    if run.outcome == "failed":
        lines.append("Nothing was published.")
    lines.append(f"Record: {record}")
    return "\n".join(lines)
