"""`python -m expectations`: checks a warehouse and shows what it found."""

from __future__ import annotations

import os
from enum import Enum
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

os.environ["GX_ANALYTICS_ENABLED"] = "false"


class Target(str, Enum):
    """Where the warehouse is."""

    dev = "dev"
    prod = "prod"
    ci = "ci"


class Stages(str, Enum):
    """Which relations are looked at."""

    raw = "raw"
    marts = "marts"
    all = "all"


def main(
    target: Annotated[Target, typer.Option(help="dev: DuckDB; prod: Snowflake, from the environment.")] = Target.dev,
    stage: Annotated[
        Stages, typer.Option(help="raw: what was loaded; marts: staging, marts and history.")
    ] = Stages.all,
    docs: Annotated[bool, typer.Option("--docs", help="Build pages of the results as well.")] = False,
    accept: Annotated[
        str,
        typer.Option(
            envvar="MOVIELENS_ACCEPT_BATCHES",
            help="Batches, separated by commas, that you have looked at and vouch for: what they look like stops no run.",
        ),
    ] = "",
    worker: Annotated[bool, typer.Option("--worker", hidden=True)] = False,
) -> None:
    """Checks a warehouse; exit code 1 when an expectation of error severity fails."""
    accepted = frozenset(filter(None, accept.replace(" ", "").split(",")))
    if worker:
        from expectations.worker import serve

        serve(target.value, accepted)
        return
    console = Console()
    with console.status("starting Great Expectations (some seconds)"):
        from sqlalchemy.exc import SQLAlchemyError

        from expectations.connection import ConnectionNeeds
        from expectations.runner import STAGES, Runner
        from expectations.state import NothingLoaded
        from expectations.worker import first_line

    failed = False
    try:
        runner = Runner(target.value, accepted)
        for name in STAGES if stage is Stages.all else (stage.value,):
            with console.status(f"{name} expectations"):
                verdict = runner.check(name)  # type: ignore[arg-type]
            for table in verdict.tables():
                console.print(table)
            outcome = "[green]passed" if verdict.passed else "[red]failed"
            console.print(
                f"{name}: {outcome}[/], {escape(verdict.summary())}, {verdict.seconds:.1f} s", highlight=False
            )
            failed |= not verdict.passed
        if docs:
            console.print(f"pages: {escape(str(runner.docs()))}", soft_wrap=True, highlight=False)
    except (ConnectionNeeds, NothingLoaded) as error:
        Console(stderr=True).print(f"[red]error:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
        raise typer.Exit(2) from None
    except SQLAlchemyError as error:
        told = f"The expectations could not be run on {target.value}: {first_line(error)}"
        Console(stderr=True).print(f"[red]error:[/] {escape(told)}", soft_wrap=True, highlight=False)
        raise typer.Exit(2) from None
    raise typer.Exit(1 if failed else 0)


if __name__ == "__main__":
    typer.run(main)
