"""`python -m expectations`: checks a warehouse and shows what it found."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer
from rich.markup import escape

from ingest.text import Console

os.environ["GX_ANALYTICS_ENABLED"] = "false"


class Target(StrEnum):
    """Where the warehouse is."""

    dev = "dev"
    prod = "prod"
    ci = "ci"


class Stages(StrEnum):
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
    try:
        raise typer.Exit(0 if check(console, target.value, stage, docs, accepted) else 1)
    except Refused as error:
        Console(stderr=True).print(f"[red]error:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
        raise typer.Exit(2) from None


class Refused(Exception):
    """The expectations could not be run, in words for a person."""


def check(console: Console, target: str, stage: Stages, docs: bool, accepted: frozenset[str]) -> bool:
    """Runs the stages and shows what they found; whether all passed. Raises Refused."""
    from expectations.connection import ConnectionNeeds, address

    try:
        address(target).require()  # before seconds are spent on imports
        with console.status("starting Great Expectations (some seconds)"):
            from sqlalchemy.exc import SQLAlchemyError

            from expectations.runner import STAGES, Runner
            from expectations.state import NothingLoaded
            from expectations.worker import first_line
    except ConnectionNeeds as error:
        raise Refused(str(error)) from None
    passed = True
    try:
        runner = Runner(target, accepted)
        for name in STAGES if stage is Stages.all else (stage.value,):
            with console.status(f"{name} expectations"):
                verdict = runner.check(name)  # type: ignore[arg-type]
            for table in verdict.tables():
                console.print(table)
            outcome = "[green]passed" if verdict.passed else "[red]failed"
            console.print(
                f"{name}: {outcome}[/], {escape(verdict.summary())}, {verdict.seconds:.1f} s", highlight=False
            )
            passed &= verdict.passed
        if docs:
            console.print(f"pages: {escape(str(runner.docs()))}", soft_wrap=True, highlight=False)
    except (ConnectionNeeds, NothingLoaded) as error:
        raise Refused(str(error)) from None
    except SQLAlchemyError as error:
        raise Refused(f"The expectations could not be run on {target}: {first_line(error)}") from None
    return passed


if __name__ == "__main__":
    typer.run(main)
