"""`nox -s bench`: the whole job beside a hand-written script and, with `--against REF`, beside an earlier commit.

Everything that is compared takes turns in one run, and the medians are compared: absolute times are those of a
machine and an hour, ratios are what to quote.
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
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import psutil
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from ingest.settings import Settings
from tests.bench import data

ROOT = Path(__file__).parents[2]
console = Console(width=150)
# A step of the job or of the script: its name, without the batch, and its seconds.
STEP = re.compile(r"^ *([a-z][a-z ]+?)(?: \d+)? +([0-9.]+) s$", re.M)
SCRIPT = "hand-written script"


@dataclass(frozen=True)
class Run:
    """What a command cost: wall and CPU seconds, the peak memory of its process tree, and what it left on disk."""

    wall: float
    cpu: float
    peak: int
    disk: int
    output: str


@dataclass(frozen=True)
class Checkout:
    """A version of the project: what the tables call it, its folder, and the Python of its environment."""

    name: str
    root: Path
    python: str

    def job(self, folder: Path, *arguments: str, memory_limit: str = "1500MB") -> Run:
        """The whole job on a data folder."""
        return self.run(folder, "dev", *arguments, memory_limit=memory_limit)

    def run(self, folder: Path, *command: str, memory_limit: str = "1500MB") -> Run:
        """A command of the pipeline on a data folder."""
        environment = {"MOVIELENS_DATA_DIR": str(folder), "MOVIELENS_MEMORY_LIMIT": memory_limit}
        environment |= {
            "DBT_PROJECT_DIR": str(self.root / "transform"),
            "DBT_PROFILES_DIR": str(self.root / "profiles"),
        }
        return measure([self.python, "-m", "pipeline", *command], folder, self.root, **environment)


Runs = dict[tuple[str, str], list[Run]]


def main(
    ratings: Annotated[
        list[int] | None, typer.Option(help="Ratings to generate; repeat for several sizes. Default: 2 M and ml-20m's.")
    ] = None,
    rounds: Annotated[int, typer.Option(help="How often all that is compared takes turns.")] = 3,
    memory_limit: Annotated[str, typer.Option(help="DuckDB's memory limit.")] = "1500MB",
    against: Annotated[str | None, typer.Option(help="A git ref, to be measured in turns with this tree.")] = None,
    flat: Annotated[
        bool, typer.Option("--flat", help="Even data over twenty years instead of ml-20m's shape.")
    ] = False,
) -> None:
    """Measures, for each size, the whole job, the same again and a delta; then the sample and its micro-batches."""
    work = Settings().data_dir.resolve() / "bench"
    shutil.rmtree(work, ignore_errors=True)
    with checkouts(against, work / "against") as compared:
        sizes = {
            size: bench(compared, work / "run", size, rounds, memory_limit, flat)
            for size in ratings or [2_000_000, 20_000_263]
        }
        small(compared, work / "run", rounds)
    smallest, largest = min(sizes), max(sizes)
    for name in ("whole job", "delta") if smallest < largest else ():
        growth = wall(sizes[largest], compared[0].name, name) / wall(sizes[smallest], compared[0].name, name)
        say(f"{name}: {growth:.2f} times as long for {largest / smallest:.0f} times the ratings")
    shutil.rmtree(work, ignore_errors=True)


@contextmanager
def checkouts(against: str | None, folder: Path) -> Iterator[list[Checkout]]:
    """This working tree and, for a ref, a worktree of it with an environment of its own, gone afterwards."""
    here = Checkout("this tree", ROOT, sys.executable)
    if not against:
        yield [here]
        return
    subprocess.run(["git", "worktree", "prune"], cwd=ROOT, check=True)
    subprocess.run(["git", "worktree", "add", "--quiet", "--detach", folder, against], cwd=ROOT, check=True)
    try:
        nox = [
            os.environ.get("MOVIELENS_NOX_PYTHON") or sys.executable,
            "-m",
            "nox",
            "--noxfile",
            folder / "noxfile.py",
        ]
        with console.status(f"an environment for {against}"):
            subprocess.run([*nox, "-s", "dev", "--install-only"], cwd=folder, check=True, capture_output=True)
        yield [here, Checkout(against, folder, str(folder / ".nox" / "dev" / "bin" / "python"))]
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", folder], cwd=ROOT, check=True)


def bench(compared: list[Checkout], work: Path, ratings: int, rounds: int, memory_limit: str, flat: bool) -> Runs:
    """One size: prints a table and the ratios; returns what each command cost, by checkout and name."""
    shutil.rmtree(work, ignore_errors=True)
    first, second, script = work / "day-1", work / "day-2", work / "script" / "script.duckdb"
    with console.status(f"generating {ratings:,} ratings"):
        as_of = data.full(first, ratings, flat)
        data.delta(first, second, min(20_000, ratings // 10))
    script.parent.mkdir()
    vouched = ("--accept", "000001", "--accept", "000002") if flat else ()  # no people behave like that
    landing = ("bench", "--source", str(first), "--as-of", as_of.isoformat(), *vouched)
    changes = ("bench", "--source", str(second), "--mode", "delta", "--as-of", _later(as_of), *vouched)
    runs: Runs = defaultdict(list)
    for number in range(rounds):
        for checkout in compared:
            shutil.rmtree(work / "job", ignore_errors=True)
            for name, arguments in (("whole job", landing), ("the same again", landing), ("delta", changes)):
                run = checkout.job(work / "job", *arguments, memory_limit=memory_limit)
                runs[checkout.name, name].append(run)
        command = [sys.executable, "-m", "tests.bench.handwritten", str(first), str(script)]
        runs["", SCRIPT].append(measure(command, script.parent, ROOT))
        say(f"round {number + 1} of {rounds}: {ratio(runs, number):.2f} times the script")
    shape = "flat" if flat else "in the shape of ml-20m"
    show(runs, f"{ratings:,} ratings, {shape}, {os.cpu_count()} cores, DuckDB at {memory_limit}, {date.today()}")
    for checkout in compared:
        whole, script_wall = wall(runs, checkout.name, "whole job"), wall(runs, "", SCRIPT)
        delta = wall(runs, checkout.name, "delta")
        say(f"{checkout.name}: whole job {whole / script_wall:.2f}, delta {delta / script_wall:.2f} times the script")
    return runs


def small(compared: list[Checkout], work: Path, rounds: int) -> None:
    """A warm run on the generated sample, and its replay in micro-batches."""
    runs: Runs = defaultdict(list)
    for _ in range(rounds):
        for checkout in compared:
            shutil.rmtree(work, ignore_errors=True)
            checkout.job(work / "warm", "sample")
            for kept in ("warehouse.duckdb", "s3", "s3-run"):  # what is warm is the generated sample
                path = work / "warm" / kept
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            runs[checkout.name, "warm sample"].append(checkout.job(work / "warm", "sample"))
            runs[checkout.name, "replay"].append(checkout.run(work / "replay", "replay", "--batches", "10"))
    show(runs, "the generated sample of 100,000 ratings, and its replay in 10 micro-batches")
    for checkout in compared:
        for run in runs[checkout.name, "replay"]:
            say(f"{checkout.name}: {run.output.strip().splitlines()[-1].strip()}")


def show(runs: Runs, title: str) -> None:
    """The medians as a table."""
    table = Table("", "", title=title, box=box.SIMPLE_HEAD)
    for name in ("wall s", "CPU s", "peak MB", "disk MB", "steps, s"):
        table.add_column(name, justify="left" if "steps" in name else "right")
    for (checkout, name), of_rounds in runs.items():
        run = sorted(of_rounds, key=lambda run: run.wall)[len(of_rounds) // 2]
        cost = (f"{run.wall:.1f}", f"{run.cpu:.1f}", f"{run.peak / 1e6:,.0f}", f"{run.disk / 1e6:,.0f}")
        steps = "" if name == "replay" else ", ".join(" ".join(step) for step in STEP.findall(run.output))
        table.add_row(checkout, name, *cost, steps)
    console.print(table)


def wall(runs: Runs, checkout: str, name: str) -> float:
    """The median of a command's seconds."""
    return statistics.median(run.wall for run in runs[checkout, name])


def ratio(runs: Runs, number: int) -> float:
    """The whole job of this tree as a multiple of the script, in one round."""
    return runs["this tree", "whole job"][number].wall / runs["", SCRIPT][number].wall


def _later(as_of: datetime) -> str:
    return (as_of + timedelta(days=1)).isoformat()


def measure(command: list[str], folder: Path, root: Path, **environment: str) -> Run:
    """Runs a command in `root` to its end; exits with its output when it fails. `folder` is where it writes."""
    while _stores(folder):  # that of the command before is still stopping
        time.sleep(0.05)
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=root,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    peak, cpu = 0, {}

    def watch() -> None:
        nonlocal peak
        of_run = psutil.Process(process.pid)
        while process.poll() is None:
            total = 0
            try:
                for each in [of_run, *of_run.children(recursive=True), *_stores(folder)]:
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
    elapsed = time.monotonic() - started
    watcher.join()
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{output}")
    disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Run(elapsed, sum(cpu.values()), peak, disk, output)


def _stores(folder: Path) -> list[psutil.Process]:
    """The embedded object store of a data folder, which is no child of the run."""
    return [
        process for process in psutil.process_iter(["cwd"]) if process.info["cwd"] == str((folder / "s3").resolve())
    ]


def say(text: str) -> None:
    """A line of its own."""
    console.print(text, highlight=False)


if __name__ == "__main__":
    typer.run(main)
