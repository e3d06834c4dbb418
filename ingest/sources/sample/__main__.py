"""`python -m ingest.sources.sample FOLDER`: generates a day of the sample."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ingest.errors import IngestError
from ingest.sources.sample import generate, shape_of
from ingest.sources.sample.older import Form, write_as

_WORTH_A_BAR = 1_000_000


def main(
    folder: Annotated[Path, typer.Argument(help="Where the CSV files go; made if need be.", file_okay=False)],
    ratings: Annotated[int, typer.Option(help="Ratings of day 1, exactly.")] = 100_000,
    day: Annotated[int, typer.Option(help="1 is a whole release, each later day what changed.")] = 1,
    seed: Annotated[int, typer.Option(help="Another seed, another sample.")] = 0,
    genome_scores: Annotated[int | None, typer.Option(help="Another size of the genome; 0 for none.")] = None,
    form: Annotated[Form | None, typer.Option(help="The form of another release or copy instead of CSV files.")] = None,
) -> None:
    """Generates a day of the sample data set as CSV files in the shape of a GroupLens release."""
    console = Console(stderr=True)
    columns = (TextColumn("rows"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        total = shape_of(ratings, genome_scores).rows
        hidden = day > 1 or total < _WORTH_A_BAR or not console.is_terminal
        with TemporaryDirectory() as work, Progress(*columns, console=console, disable=hidden) as progress:
            written = Path(work) if form else folder
            task = progress.add_task("rows", total=total)
            done = generate(
                written,
                ratings=ratings,
                day=day,
                seed=seed,
                genome_scores=genome_scores,
                on_rows=lambda rows: progress.advance(task, rows),
            )
            if form:
                write_as(form, written, folder)
    except IngestError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    counts = ", ".join(f"{name} {rows:,} ({done.modes[name]})" for name, rows in done.rows.items())
    typer.echo(f"sample day {day} as of {done.as_of:%Y-%m-%d} in {folder}: {counts}")


if __name__ == "__main__":
    typer.run(main)
