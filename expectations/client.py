"""The gate as its callers see it: a second process that pays for importing Great Expectations once.

This side imports none of it. The import takes 3 to 6 seconds of CPU, which the worker spends while the caller lands
and loads.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

from expectations.verdict import Verdict

_ROOT = Path(__file__).parents[1]
_TAIL = 15


class GateError(Exception):
    """The expectations could not be run: why, in the words of the worker."""


class _Worker(NamedTuple):
    process: subprocess.Popen[str]
    questions: IO[str]
    answers: IO[str]
    errors: IO[str]


class Gate:
    """The expectations of a target (`dev`, `prod` or `ci`), from `with` to its end.

    While `check` runs, no other process may hold the DuckDB file; between checks the worker does not hold it either.
    `start_seconds`: what the start cost the other process, once it is known.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.start_seconds: float | None = None
        self._worker: _Worker | None = None

    def start(self) -> Self:
        """Starts the worker and returns at once."""
        errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed with the gate
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        process = subprocess.Popen(
            [sys.executable, "-m", "expectations", "--target", self.target, "--worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": path, "GX_ANALYTICS_ENABLED": "false"},
        )
        if process.stdin is None or process.stdout is None:
            raise GateError("The expectations' process has no pipes.")
        self._worker = _Worker(process, process.stdin, process.stdout, errors)
        return self

    def check(self, stage: str) -> Verdict:
        """Runs a stage (`raw` or `marts`) and returns what it found; raises GateError when it could not be run."""
        return Verdict.from_json(self._ask(stage))

    def docs(self) -> Path:
        """Builds the pages of the newest results; returns the front page."""
        return Path(json.loads(self._ask("docs"))["docs"])

    def close(self) -> None:
        """Ends the worker."""
        if self._worker is None:
            return
        worker, self._worker = self._worker, None
        for pipe in (worker.questions, worker.answers):
            with contextlib.suppress(OSError):
                pipe.close()
        if self.start_seconds is None:
            worker.process.kill()  # it may be in the middle of an import that nobody waits for
        try:
            worker.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            worker.process.kill()
            worker.process.wait()
        worker.errors.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, command: str) -> str:
        if self._worker is None:
            raise GateError("The gate is not open: call start(), or use it in a with statement.")
        if self.start_seconds is None:
            self.start_seconds = float(json.loads(self._answer(self._worker))["seconds"])
        try:
            self._worker.questions.write(f"{command}\n")
            self._worker.questions.flush()
        except OSError:
            raise self._died(self._worker) from None
        return self._answer(self._worker)

    def _answer(self, worker: _Worker) -> str:
        line = worker.answers.readline()
        if not line:
            raise self._died(worker)
        if reason := json.loads(line).get("error"):
            raise GateError(reason)
        return line

    def _died(self, worker: _Worker) -> GateError:
        worker.errors.seek(0)
        tail = "\n".join(worker.errors.read().strip().splitlines()[-_TAIL:])
        return GateError(f"The expectations' process on {self.target} has ended without an answer.\n{tail}".strip())
