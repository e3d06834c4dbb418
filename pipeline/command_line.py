"""What the commands share: how a failure is shown, and the options of a landing."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from inspect import Signature, signature
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from ingest.batches.landing import Landing
from ingest.errors import IngestError, SourceError
from ingest.schema import Mode
from ingest.settings import absolute
from ingest.text import Console
from profiles.environment import without_secrets
from profiles.errors import PipelineError

# Where no terminal says how wide it is, tables still need room.
console = Console(width=None if sys.stdout.isatty() else 100)
errors = Console(stderr=True)


# Failures that nothing in the project can mend.
_OF_THE_MACHINE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}


class OneLineErrors(TyperGroup):
    """Commands whose failure is one message and exit code 1, never a traceback; Ctrl-C is no failure."""

    def invoke(self, ctx: Any) -> Any:
        """Runs a command."""
        try:
            return super().invoke(ctx)
        except (IngestError, PipelineError) as error:
            message = str(error)
        except OSError as error:
            if error.errno not in _OF_THE_MACHINE:
                raise
            message = (
                f"{f'{error.filename}: ' if error.filename else ''}{error.strerror}. Free some space, or make it accessible; "
                f"MOVIELENS_DATA_DIR leads to another folder."
            )
        except (KeyboardInterrupt, RuntimeError) as stop:
            if not isinstance(stop, KeyboardInterrupt) and not isinstance(stop.__context__, KeyboardInterrupt):
                raise  # else it is what DuckDB makes of Ctrl-C in a query
            errors.print("stopped; run again to go on from here")
            raise typer.Exit(130) from None
        errors.print(f"[bold red]error:[/] {escape(without_secrets(message))}", soft_wrap=True, highlight=False)
        raise typer.Exit(1)


def _path(text: str) -> Path:
    try:
        return absolute(text)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None


Dataset = Annotated[
    str | None, typer.Argument(help="A release such as ml-latest-small, or sample (generated).", show_default="sample")
]
Source = Annotated[
    Path | None,
    typer.Option(parser=_path, metavar="PATH", help="A local zip or folder instead of the download."),
]
Ratings = Annotated[
    int | None,
    typer.Option(
        min=1, max=1_000_000_000, help="Ratings in the sample; default: as many as the landed one has, or 100,000."
    ),
]

MaxRejected = Annotated[float, typer.Option(min=0, max=1, help="Share of a file's lines that may be rejected.")]


def landing_of(
    dataset: Dataset = None,
    source: Source = None,
    mode: Annotated[Mode, typer.Option(help="full: whole tables; delta: new and changed rows.")] = "full",
    as_of: Annotated[
        str | None,
        typer.Option(
            help="The date or ISO timestamp (UTC) that the batch describes; default: the date of its newest file."
        ),
    ] = None,
    allow_future: Annotated[
        bool, typer.Option("--allow-future", help="Allow an --as-of in the future.")
    ] = Landing.allow_future,
    max_rejected: MaxRejected = Landing.max_rejected,
    follow_links: Annotated[
        bool, typer.Option("--follow-links", help="Follow symbolic links that lead out of a source folder.")
    ] = Landing.follow_links,
    day: Annotated[
        int,
        typer.Option(min=1, max=1000, help="Day of the sample; earlier days are landed first."),
    ] = Landing.day,
    ratings: Ratings = Landing.ratings,
) -> Landing:
    """What to land, by the options of every command that lands."""
    dataset = dataset or Landing.dataset
    return Landing(dataset, source, mode, instant(as_of), allow_future, max_rejected, follow_links, day, ratings)


def lands(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options of `landing_of` beside its own, and hands it the `Landing` that they make."""
    shared, own = (dict(signature(function, eval_str=True).parameters) for function in (landing_of, command))
    del own["landing"]

    @wraps(command)
    def run(**given: Any) -> None:
        landing = landing_of(**{name: given[name] for name in shared})
        command(landing=landing, **{name: given[name] for name in own})

    run.__signature__ = Signature(list((shared | own).values()))  # type: ignore[attr-defined] # what Typer reads
    return run


def instant(text: str | None) -> datetime | None:
    """A date or an ISO timestamp as an instant in UTC, None for none; raises `SourceError` for anything else."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise SourceError(
            f"--as-of {text!r} is neither a date nor an ISO timestamp, such as 2018-09-26T12:00."
        ) from None
