"""`nox -s bench`: generates the ml-20m shape, then runs the whole job and a hand-written script in turn.

Absolute times are those of a machine; the ratios, taken in one run, are what to quote.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import psutil
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from ingest.sample import generate
from ingest.settings import Settings

console = Console(width=110)


@dataclass(frozen=True)
class Run:
    """What a command cost: wall and CPU seconds, the peak memory of its process tree, and what it left on disk."""

    wall: float
    cpu: float
    peak: int
    disk: int
    output: str


def measure(command: list[str], folder: Path, **environment: str) -> Run:
    """Runs a command to its end; exits with its output when it fails."""
    started = time.monotonic()
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    peak, cpu = 0, {}

    def watch() -> None:
        nonlocal peak
        root = psutil.Process(process.pid)
        while process.poll() is None:
            total = 0
            try:
                for each in [root, *root.children(recursive=True), *_stores(folder)]:
                    total += each.memory_info().rss
                    times = each.cpu_times()
                    cpu[each.pid] = times.user + times.system
            except psutil.Error:
                continue
            peak = max(peak, total)
            time.sleep(0.1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    output, _ = process.communicate()
    watcher.join()
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{output}")
    disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Run(time.monotonic() - started, sum(cpu.values()), peak, disk, output)


def _stores(folder: Path) -> list[psutil.Process]:
    """The embedded object store of a data folder, which is no child of the run."""
    found = []
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == "weed" and any(str(folder) in part for part in process.info["cmdline"] or ()):
            found.append(process)
    return found


def job(data: Path, *arguments: str, **environment: str) -> Run:
    """The whole job on a data folder."""
    return measure(
        [sys.executable, "-m", "pipeline", "dev", *arguments], data, MOVIELENS_DATA_DIR=str(data), **environment
    )


def main(
    ratings: Annotated[int, typer.Option(help="Ratings to generate; the default is the shape of ml-20m.")] = 20_000_263,
    rounds: Annotated[int, typer.Option(help="How often the job and the script take turns.")] = 3,
    memory_limit: Annotated[str, typer.Option(help="DuckDB's memory limit.")] = "4GB",
) -> None:
    """Measures the whole job against a hand-written script, then a repeat, a delta and micro-batches."""
    work = Settings().data_dir.resolve() / "bench"
    shutil.rmtree(work, ignore_errors=True)
    first, second = work / "day-1", work / "delta"
    with console.status(f"generating {ratings:,} ratings"):
        as_of = generate(first, ratings=ratings).as_of
        delta(first, second, min(20_000, ratings // 10))
    table = Table(
        "",
        title=f"{ratings:,} ratings, {os.cpu_count()} cores, DuckDB at {memory_limit}, {date.today()}",
        box=box.SIMPLE_HEAD,
    )
    for name in ("wall s", "CPU s", "peak MB", "disk MB"):
        table.add_column(name, justify="right")
    ratios, runs = [], {}
    for turn in range(rounds):
        data, script = work / f"job-{turn}", work / f"script-{turn}"
        script.mkdir(parents=True)
        runs["whole job"] = job(
            data, "bench", "--source", str(first), "--as-of", as_of.isoformat(), MOVIELENS_MEMORY_LIMIT=memory_limit
        )
        runs["hand-written script"] = measure(
            [sys.executable, "-m", "tests.bench.handwritten", str(first), str(script / "script.duckdb")], script
        )
        ratios.append(runs["whole job"].wall / runs["hand-written script"].wall)
        console.print(f"round {turn + 1}: {ratios[-1]:.2f} times the script", highlight=False)
        if turn + 1 < rounds:
            shutil.rmtree(data)
    data = work / f"job-{rounds - 1}"
    console.print(runs["whole job"].output, highlight=False)
    console.print(runs["hand-written script"].output, highlight=False)
    runs["the same again"] = job(data, "bench", "--source", str(first), "--as-of", as_of.isoformat())
    runs["delta of 20,000 ratings"] = job(
        data,
        *("bench", "--source", str(second), "--mode", "delta", "--as-of", (as_of + timedelta(days=1)).isoformat()),
        MOVIELENS_MEMORY_LIMIT=memory_limit,
    )
    console.print(runs["delta of 20,000 ratings"].output, highlight=False)
    for name, run in runs.items():
        table.add_row(name, f"{run.wall:.1f}", f"{run.cpu:.1f}", f"{run.peak / 1e6:,.0f}", f"{run.disk / 1e6:,.0f}")
    console.print(table)
    share = runs["delta of 20,000 ratings"].wall / runs["whole job"].wall
    console.print(
        f"whole job: {statistics.median(ratios):.2f} times the hand-written script (median of {rounds}); "
        f"delta: {share:.0%} of the whole job",
        highlight=False,
    )
    shutil.rmtree(work, ignore_errors=True)


def delta(full: Path, folder: Path, ratings: int) -> None:
    """Writes a delta: every n-th rating of a full data set, given again a day later with the stars of another."""
    folder.mkdir(parents=True)
    with open(full / "ratings.csv", encoding="utf-8") as lines:
        total = sum(1 for _ in lines) - 1
    step = max(1, total // ratings)
    with (
        open(full / "ratings.csv", encoding="utf-8") as lines,
        open(folder / "ratings.csv", "w", encoding="utf-8", newline="\n") as revised,
    ):
        revised.write(next(lines))
        other = "4.0"
        for number, line in enumerate(lines):
            if number % step == 0:
                user, movie, stars, timestamp = line.rstrip("\n").split(",")
                revised.write(f"{user},{movie},{other},{int(timestamp) + 86_400}\n")
                other = stars


if __name__ == "__main__":
    typer.run(main)
