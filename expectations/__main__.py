"""`python -m expectations`: judges the newest batch of a warehouse and shows what it found."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from expectations.gate import Gate
from ingest.errors import IngestError
from ingest.text import Console
from profiles.environment import adopt, without_secrets
from profiles.errors import PipelineError


def main(
    target: Annotated[
        Literal["dev", "prod", "ci"], typer.Option(help="dev: DuckDB; prod: Snowflake, from the environment.")
    ] = "dev",
    batch: Annotated[
        list[str] | None, typer.Option(help="A batch to judge; may be repeated. Default: the newest.")
    ] = None,
    accept: Annotated[
        list[str] | None, typer.Option(help="A batch whose failed checks only warn; may be repeated.")
    ] = None,
) -> None:
    """Judges a warehouse; exit code 1 when a check of severity error fails."""
    console = Console()
    try:
        adopt()
        with Gate(target) as gate, console.status("judging (Great Expectations takes some seconds to start)"):
            verdict = gate.check(batch or (), accept or ())
    except (IngestError, PipelineError) as error:
        message = f"error: {without_secrets(str(error))}"
        Console(stderr=True).print(message, soft_wrap=True, highlight=False, markup=False)
        raise typer.Exit(2) from None
    for part in verdict.tables():
        console.print(part)
    outcome = "[green]passed" if verdict.passed else "[red]failed"
    console.print(f"{outcome}[/]: {verdict.summary()}, {verdict.seconds:.1f} s", highlight=False)
    raise typer.Exit(0 if verdict.passed else 1)


if __name__ == "__main__":
    typer.run(main)
