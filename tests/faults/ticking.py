"""The pipeline's command line with a clock of its own: begin and end of a step, a node of dbt, a write to the store.

`python -m tests.faults.ticking pipeline options` writes each tick to the file TICKS. At the tick KILL_AT the process
is killed, with the victims KILL. Ticks have names and not numbers, since dbt's threads finish in any order.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from ingest.store.bucket import Store
from pipeline import __main__ as cli
from pipeline.report import Report
from tests.faults.job import Job, kill

Step = Callable[[Report, str], AbstractContextManager[None]]
# The gate's process imports this module as well, in the environment of a run, which has none of them.
TICKS, KILL_AT, KILL = (os.environ.get(name, "") for name in ("TICKS", "KILL_AT", "KILL"))


def tick(name: str) -> None:
    """Writes a tick down, and ends everything there if it is the one."""
    with open(TICKS, "a", encoding="utf-8") as file:
        file.write(json.dumps(name) + "\n")
    if name == KILL_AT:
        job = Job(Path(os.environ["MOVIELENS_DATA_DIR"]))
        kill(os.getpid(), job.store_pids() if KILL == "all" else [], KILL)  # type: ignore[arg-type]


def main() -> None:
    """The command line, ticking."""
    node, put = Report.node, Store._put

    def ticking_step(step: Step) -> Step:
        @contextmanager
        def ticked(self: Report, name: str) -> Iterator[None]:
            tick(f"before {name}")
            with step(self, name):
                yield
            tick(f"after {name}")

        return ticked

    def ticking_node(self: Report, name: str) -> None:
        node(self, name)
        tick(f"{self._step}: {name} is done")

    def ticking_put(self: Store, key: str, *rest: Any) -> str:
        tick(f"before the write of {key}")
        etag = put(self, key, *rest)
        tick(f"after the write of {key}")
        return etag

    Report.step = ticking_step(Report.step)  # type: ignore[method-assign]
    Report.node, Store._put = ticking_node, ticking_put  # type: ignore[method-assign,assignment]
    cli.app(prog_name="python -m pipeline")


if __name__ == "__main__":
    main()
