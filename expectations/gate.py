"""The gate as its callers see it: a second process, which imports Great Expectations while the caller lands and loads.

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
from pathlib import Path
from typing import Any, Self

from expectations import checks
from expectations.checks import GateError
from expectations.verdict import Verdict


class Gate:
    """The checks of a target (`dev`, `prod` or `ci`), from `with` to its end.

    Entering reads the suites, and raises GateError for a line that is wrong. Between questions the other process
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

    def check(self, batches: Sequence[str] = (), accepted: Sequence[str] = ()) -> Verdict:
        """Judges batches, by default the newest one, and the marts; of an accepted batch, errors only warn.

        Raises GateError when they could not be judged.
        """
        verdict: Verdict = self._ask("judge", tuple(batches), tuple(accepted))
        return verdict

    def docs(self) -> Path:
        """Builds the pages of the newest results; returns the front page."""
        front: Path = self._ask("docs")
        return front

    def _ask(self, *question: Any) -> Any:
        self.prepare()
        # Where the warehouse is may have been decided since the process was started.
        try:
            self._questions.send((dict(os.environ), *question))
            answer = self._questions.recv()
        except (EOFError, OSError):
            code = self._process and self._process.exitcode
            raise GateError(f"The gate's process has ended (exit code {code}); see above.") from None
        if isinstance(answer, GateError):
            raise answer
        return answer


def _answer(target: str, questions: Connection) -> None:
    """The other process: answers until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which ends this process
    multiprocessing.set_start_method("fork", force=True)  # or a lock of tqdm's would be missed when this is killed
    from expectations import docs
    from expectations.connection import warehouse_of
    from expectations.judge import judge
    from ingest.settings import Settings

    while True:
        try:
            environment, what, *arguments = questions.recv()
        except EOFError:
            return
        os.environ.clear()
        os.environ.update(environment)
        try:
            home = Settings.read().data_dir / "expectations" / target
            if what == "docs":
                questions.send(docs.build(home, home.with_name("docs") / target, f"Data quality on {target}"))
            else:
                questions.send(judge(warehouse_of(target), home, *arguments))
        except GateError as error:
            questions.send(error)
        except Exception as error:
            questions.send(GateError(f"{type(error).__name__}: {first_line(error)}"))


def first_line(error: Exception) -> str:
    """What an error of a driver says, without statement and background."""
    return str(getattr(error, "orig", None) or error).strip().split("\n")[0][:400]
