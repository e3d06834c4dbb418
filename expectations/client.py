"""The gate as its callers see it: a second process that pays for importing Great Expectations once.

This side imports none of it. The import takes 6 to 8 seconds of CPU, which the worker spends while the caller lands
and loads.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from expectations.verdict import Verdict

_ROOT = Path(__file__).parents[1]
_TAIL = 15


class GateError(Exception):
    """The expectations could not be run: why, in the words of the worker."""


class Gate:
    """The expectations of a target (`dev`, `prod` or `ci`), from `with` to its end.

    While `check` runs, no other process may hold the DuckDB file; between checks the worker does not hold it either.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.start_seconds: float | None = None
        """What the start cost, once it is known: import and preparation, in the other process."""
        self._process: subprocess.Popen[str] | None = None
        self._errors: IO[str] | None = None

    def start(self) -> Self:
        """Starts the worker and returns at once."""
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "expectations", "--target", self.target, "--worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": path, "GX_ANALYTICS_ENABLED": "false"},
        )
        return self

    def check(self, stage: str) -> Verdict:
        """Runs a stage (`raw` or `marts`) and returns what it found; raises GateError when it could not be run."""
        try:
            return Verdict.from_json(self._ask(stage))
        except ValueError as error:
            raise self._died(str(error)) from None

    def docs(self) -> Path:
        """Builds the pages of the newest results; returns the front page."""
        return Path(json.loads(self._ask("docs"))["docs"])

    def close(self) -> None:
        """Ends the worker."""
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    try:
                        pipe.close()
                    except OSError:
                        pass
            try:
                self._process.wait(timeout=0.2 if self.start_seconds is None else 5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._errors is not None:
            self._errors.close()
            self._errors = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, command: str) -> str:
        if self._process is None:
            raise GateError("The gate is not open: call start(), or use it in a with statement.")
        if self.start_seconds is None:
            self.start_seconds = float(json.loads(self._read())["seconds"])
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{command}\n")
            self._process.stdin.flush()
        except OSError:
            raise self._died("it has ended") from None
        return self._read()

    def _read(self) -> str:
        assert self._process is not None and self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._died("it has ended")
        answer = json.loads(line)
        if "error" in answer:
            raise GateError(answer["error"])
        return line

    def _died(self, why: str) -> GateError:
        tail = ""
        if self._errors is not None:
            self._errors.flush()
            self._errors.seek(0)
            tail = "\n".join(self._errors.read().strip().splitlines()[-_TAIL:])
        return GateError(
            f"The expectations' process on {self.target} gave no answer: {why}." + (f"\n{tail}" if tail else "")
        )
