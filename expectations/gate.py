"""The gate as a run sees it: a second process, which imports Great Expectations while the run lands and loads.

The import takes some seconds of CPU; without the second process the sample's run takes a third longer. This side
imports none of it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Self

from expectations import checks
from expectations.verdict import Verdict, first_line
from profiles import engine
from profiles.errors import PipelineError


class Gate:
    """The checks of a target (`dev`, `prod` or `ci`), from `with` to its end.

    Entering reads the suites, and raises `PipelineError` for a line that is wrong. Between questions the other process
    holds no warehouse.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self._process: SpawnProcess | None = None

    def __enter__(self) -> Self:
        checks.read()
        return self

    def prepare(self) -> None:
        """Starts the other process, unless it runs already: its import then overlaps with what the caller does."""
        if self._process:
            return
        context = multiprocessing.get_context("spawn")
        self._questions, theirs = context.Pipe()
        self._process = context.Process(target=_answer, args=(self.target, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.kill()  # it may be in the middle of an import that nobody waits for
            self._process.join()
            self._questions.close()

    def check(
        self, batches: Sequence[str] = (), accepted: Sequence[str] = (), *, of_batches_alone: bool = False
    ) -> Verdict:
        """Judges batches, by default the newest one, and the marts; of an accepted batch, errors only warn.

        `of_batches_alone`: what was measured of them, and not the marts, which may be built in part. Raises
        `PipelineError` when they could not be judged.
        """
        self.prepare()
        try:
            # Where the warehouse is may have been decided since the process was started.
            self._questions.send((dict(os.environ), tuple(batches), tuple(accepted), of_batches_alone))
            answer: Verdict | str = self._questions.recv()
        except (EOFError, OSError):
            code = self._process and self._process.exitcode
            answer = f"its process has ended (exit code {code}); see above."
        if isinstance(answer, str):
            raise PipelineError(f"the gate could not judge: {answer}")
        return answer


def _answer(target: str, questions: Connection) -> None:
    """The other process: answers with a verdict, or with what went wrong, until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which ends this process
    os.nice(5)  # its import has time until the gate; the run's own imports are waited for
    multiprocessing.set_start_method("fork", force=True)  # or a lock of tqdm's would be missed when this is killed
    from expectations.connection import results_of, warehouse_of
    from expectations.judge import judge

    while True:
        try:
            environment, batches, accepted, of_batches_alone = questions.recv()
        except EOFError:
            return
        os.environ.clear()
        os.environ.update(environment)
        try:
            asked = [check for check in checks.read() if check.profile or not of_batches_alone]
            questions.send(judge(warehouse_of(target), results_of(target), batches, accepted, asked))
        except PipelineError as error:
            questions.send(str(error))
        except Exception as error:
            questions.send(f"{type(error).__name__}: {engine(target).explain(first_line(error))}")
