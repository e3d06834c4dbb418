"""`python -m ingest`: lands batches and lists them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.markup import escape
from rich.table import Table

from ingest.batches.landing import committed, datasets, land_dataset
from ingest.errors import IngestError, SourceError
from ingest.settings import Settings
from ingest.store.embedded import object_store
from ingest.text import Console

app = typer.Typer(
    help="Lands MovieLens data as batches in an object store: S3_ENDPOINT_URL, or an embedded one when it is unset.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
errors = Console(stderr=True)


class LandingMode(StrEnum):
    """`full`: the files are whole tables; `delta`: new and changed rows."""

    full = "full"
    delta = "delta"


@app.command()
def land(
    dataset: Annotated[str, typer.Argument(help="A release such as ml-latest-small, or sample (generated).")],
    source: Annotated[Path | None, typer.Option(help="A local zip or folder instead of the download.")] = None,
    mode: Annotated[
        LandingMode, typer.Option(help="full: whole tables; delta: new and changed rows.")
    ] = LandingMode.full,
    as_of: Annotated[str | None, typer.Option(help="Date or ISO timestamp; UTC unless it has a zone.")] = None,
    max_rejected: Annotated[float, typer.Option(min=0, max=1, help="Share of a file's lines to reject.")] = 0.001,
    day: Annotated[int, typer.Option(min=1, help="Day of the sample; days after the first are deltas.")] = 1,
    ratings: Annotated[int, typer.Option(min=1, help="Number of ratings in the sample.")] = 100_000,
) -> None:
    """Lands one batch; content that is landed already uploads nothing."""
    with _told():
        instant = parse_as_of(as_of)
        settings = Settings()
        with object_store(settings, embedded=True) as store:
            landed = land_dataset(
                store,
                settings,
                dataset,
                source=source,
                mode=mode.value,
                as_of=instant,
                day=day,
                ratings=ratings,
                max_rejected=max_rejected,
                console=errors,
            )
    for warning in landed.warnings:
        errors.print(f"[yellow]{escape(warning)}", soft_wrap=True)
    print(landed.summary())


@app.command("list")
def list_batches(dataset: Annotated[str | None, typer.Argument(help="Only this data set.")] = None) -> None:
    """Lists the committed batches."""
    table = Table(box=None)
    for title in ("batch", "as of (UTC)", "table", "mode", "rows", "rejected"):
        table.add_column(title, no_wrap=True)
    with _told(), object_store(Settings(), embedded=True) as store:
        for name in [dataset] if dataset else datasets(store):
            for batch in committed(store, name):
                heading = (f"{name} {batch.batch_id}", f"{batch.as_of:%Y-%m-%d %H:%M:%S}")
                for relation, content in batch.tables.items():
                    rows, rejected = content.rows_read - content.rows_rejected, content.rows_rejected
                    table.add_row(*heading, relation, content.mode, f"{rows:,}", f"{rejected:,}")
                    heading = ("", "")
    Console().print(table if table.rows else "Nothing is landed yet.")


@app.command("store")
def keep_store() -> None:
    """Keeps the embedded store running until Ctrl-C, and says where it is."""
    with _told(), object_store(settings := Settings(), embedded=True) as store:
        print(f"{store.endpoint_url} (bucket {store.bucket}); Ctrl-C stops it.", flush=True)
        if settings.s3_endpoint_url is None:
            print(f"Its credentials are in {settings.s3_dir.with_name('s3-run') / 'endpoint.json'}.", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()


def parse_as_of(text: str | None) -> datetime | None:
    """A date or an ISO timestamp as an instant in UTC, None for none; raises `SourceError` for anything else."""
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise SourceError(
            f"--as-of {text!r} is neither a date nor an ISO timestamp, such as 2018-09-26T12:00."
        ) from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except IngestError as error:
        message = str(error)
    except ValidationError as error:  # of the settings
        message = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
    else:
        return
    errors.print(f"[red]error:[/red] {escape(message)}", soft_wrap=True, highlight=False)
    raise typer.Exit(1)


if __name__ == "__main__":
    app(prog_name="python -m ingest")
