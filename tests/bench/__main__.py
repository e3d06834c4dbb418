"""`nox -s bench`: generates the ml-20m shape, then runs the whole job and a hand-written script in turn.

Absolute times are those of a machine; the ratios, taken in one run, are what to quote.
"""

from __future__ import annotations

import os
import re
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

from ingest.settings import Settings
from ingest.sources.sample import generate

console = Console(width=150)
# A step of the job or of the script: its name, without the batch, and its seconds.
STEP = re.compile(
    r"^ *((?:object store|land|load|raw gate|build and test|mart gate|read|marts|checks)(?= ).*? [0-9.]+) s$", re.M
)


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
    ratings: Annotated[
        list[int] | None, typer.Option(help="Ratings to generate; repeat for several sizes. Default: 2 M and ml-20m's.")
    ] = None,
    rounds: Annotated[int, typer.Option(help="How often the job and the script take turns.")] = 3,
    memory_limit: Annotated[str, typer.Option(help="DuckDB's memory limit.")] = "4GB",
) -> None:
    """Measures, for each size, the whole job against a hand-written script, then a repeat and a delta; then a replay."""
    work = Settings().data_dir.resolve() / "bench"
    sizes = {size: bench(work, size, rounds, memory_limit) for size in ratings or [2_000_000, 20_000_263]}
    smallest, largest = min(sizes), max(sizes)
    if smallest < largest:
        for name in ("whole job", "delta"):
            growth = sizes[largest][name].wall / sizes[smallest][name].wall
            say(f"{name}: {growth:.2f} times as long for {largest / smallest:.0f} times the ratings")
    replayed = measure(
        [sys.executable, "-m", "pipeline", "replay", "--batches", "10"], work, MOVIELENS_DATA_DIR=str(work / "replay")
    )
    say(f"replay of the sample in 10 micro-batches: {replayed.output.splitlines()[-1].strip()}")
    shutil.rmtree(work, ignore_errors=True)


def bench(work: Path, ratings: int, rounds: int, memory_limit: str) -> dict[str, Run]:
    """One size: prints a table and the ratios; returns what each command cost, of the job and the script the median."""
    shutil.rmtree(work, ignore_errors=True)
    first, second = work / "day-1", work / "day-2"
    with console.status(f"generating {ratings:,} ratings"):
        as_of = generate(first, ratings=ratings).as_of
        delta(first, second, min(20_000, ratings // 10))
    landing = ("bench", "--source", str(first), "--as-of", as_of.isoformat())
    jobs, scripts, data = [], [], work / "job"
    for turn in range(rounds):
        shutil.rmtree(data, ignore_errors=True)
        jobs.append(job(data, *landing, MOVIELENS_MEMORY_LIMIT=memory_limit))
        file = work / "script" / "script.duckdb"
        file.parent.mkdir(exist_ok=True)
        scripts.append(measure([sys.executable, "-m", "tests.bench.handwritten", str(first), str(file)], file.parent))
        say(f"round {turn + 1}: {jobs[-1].wall / scripts[-1].wall:.2f} times the script")
    runs = {"whole job": median(jobs), "hand-written script": median(scripts)}
    runs["the same again"] = job(data, *landing, MOVIELENS_MEMORY_LIMIT=memory_limit)
    landing = ("bench", "--source", str(second), "--mode", "delta", "--as-of", (as_of + timedelta(days=1)).isoformat())
    runs["delta"] = job(data, *landing, MOVIELENS_MEMORY_LIMIT=memory_limit)
    table = Table(
        "",
        title=f"{ratings:,} ratings, {os.cpu_count()} cores, DuckDB at {memory_limit}, {date.today()}",
        box=box.SIMPLE_HEAD,
    )
    for name in ("wall s", "CPU s", "peak MB", "disk MB", "steps, s"):
        table.add_column(name, justify="left" if "steps" in name else "right")
    for name, run in runs.items():
        cost = (f"{run.wall:.1f}", f"{run.cpu:.1f}", f"{run.peak / 1e6:,.0f}", f"{run.disk / 1e6:,.0f}")
        table.add_row(name, *cost, ", ".join(" ".join(step.split()) for step in STEP.findall(run.output)))
    console.print(table)
    ratio = statistics.median(one.wall / other.wall for one, other in zip(jobs, scripts, strict=True))
    say(
        f"whole job: {ratio:.2f} times the hand-written script; delta: "
        f"{runs['delta'].wall / runs['whole job'].wall:.0%} of the whole job"
    )
    return runs


def median(runs: list[Run]) -> Run:
    """The run of middle length."""
    return sorted(runs, key=lambda run: run.wall)[len(runs) // 2]


def say(text: str) -> None:
    """A line of its own."""
    console.print(text, highlight=False)


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
