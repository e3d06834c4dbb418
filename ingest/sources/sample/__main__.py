"""`python -m ingest.sources.sample FOLDER`: generates a day of the sample."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ingest.errors import IngestError
from ingest.sources.sample.generate import generate


def main(
    folder: Annotated[Path, typer.Argument(help="Where the files go; made if need be.", file_okay=False)],
    ratings: Annotated[int, typer.Option(help="Ratings of day 1, exactly.")] = 100_000,
    day: Annotated[int, typer.Option(help="1 is a whole release, each later day what changed.")] = 1,
    seed: Annotated[int, typer.Option(help="Another seed, another sample.")] = 0,
    genome_scores: Annotated[int | None, typer.Option(help="Another size of the genome; 0 for none.")] = None,
) -> None:
    """Generates a day of the sample data set in the shape of a GroupLens release."""
    try:
        done = generate(folder, ratings=ratings, day=day, seed=seed, genome_scores=genome_scores)
    except IngestError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    counts = ", ".join(f"{name} {rows:,} ({done.modes[name]})" for name, rows in done.rows.items())
    typer.echo(f"sample day {day} as of {done.as_of:%Y-%m-%d} in {folder}: {counts}")


if __name__ == "__main__":
    typer.run(main)
