"""What a person sees while a command runs: each step with its time, and lines that say what happened."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from pipeline.runs import Run, recorded


class Report:
    """Reports a run on a console and keeps its record; `banner` is shown first and last, as the emulator needs."""

    def __init__(self, console: Console, banner: str = "") -> None:
        self.console, self.banner, self.run = console, banner, Run()
        self._status: Status | None = None
        self._step, self._nodes, self._quiet = "", 0, False
        if banner:
            self.say(banner, "bold yellow")

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A step that is shown while it runs, and with its time when it is done; one that fails is recorded too."""
        self._step, self._nodes, began = name, 0, time.monotonic()
        try:
            with self.console.status(escape(name)) as self._status:
                yield
        finally:
            self._status = None
            seconds = round(time.monotonic() - began, 3)
            self.run.steps.append((name, seconds))
        if not self._quiet:
            self.say(f"  {name:<24}{seconds:6.1f} s")

    @contextmanager
    def another_run(self, folder: Path) -> Iterator[Run]:
        """One more publication by the same command, with a record of its own unless there is nothing new.

        From now on a step is shown only while it runs.
        """
        self.run, self._quiet = Run(self.run.job, self.run.target), True
        with recorded(self.run, folder):
            yield self.run
        if self.run.outcome == "nothing new":
            self.run.path(folder).unlink(missing_ok=True)

    def node(self, name: str) -> None:
        """Progress within a build: one more model or test is done."""
        self._nodes += 1
        if self._status:
            self._status.update(escape(f"{self._step}: {self._nodes} models and tests done, last {name}"))

    def say(self, text: str, style: str = "") -> None:
        """A line for a person."""
        self.console.print(escape(text), style=style, soft_wrap=True, highlight=False)
