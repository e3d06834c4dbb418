"""`python -m tests.pipeline.forked_runs DATASET`: each input line is the fate of a run, its answer the exit code.

Each run is a process of its own, forked once dbt has read the project, which takes most of a run's time here.
"""

from __future__ import annotations

import os
import signal
import sys
from unittest import mock

from ingest.settings import Settings
from ingest.store.embedded import object_store
from profiles.errors import PipelineError
from profiles.warehouse_file import WarehouseFile
from tests.pipeline.harness import ClosedGate, Lab, OpenGate, Quiet, _parsed


def killed(*_: object) -> None:
    """The process is gone, as in a power cut."""
    os.kill(os.getpid(), signal.SIGKILL)


def run(dataset: str, fate: str) -> None:
    """A good run; one whose gate is closed; one that is killed at the beginning of a step, or once it has `renamed`."""

    with object_store(settings := Settings.read(), embedded=True) as store:
        gate = ClosedGate() if fate == "closed" else OpenGate()
        if fate == "renamed":
            mock.patch.object(WarehouseFile, "_remember", killed).start()
        Lab(store, settings).apply(dataset, report=Quiet(fate, killed), gate=gate)


def main() -> None:
    """Forks for each line."""
    _parsed("dev")
    for line in sys.stdin:
        if (child := os.fork()) == 0:
            try:
                run(sys.argv[1], line.strip())
            except PipelineError:
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
