"""Following looks at the store, asks the warehouse only about what was committed, and does not copy all the time."""

from __future__ import annotations

import io
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from pipeline import follow, report, runs
from pipeline.apply import Context
from pipeline.report import Report


class Clock:
    """A second is over when somebody sleeps or works for it; Ctrl-C comes at the end."""

    def __init__(self, end: float) -> None:
        self.now, self.end = 0.0, end

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.now >= self.end:
            raise KeyboardInterrupt


def follow_for(
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    committed: dict[float, str],
    *,
    copying: float,
    poll: float,
    folder: Path = Path(os.devnull),
) -> tuple[list[float], int, str]:
    """Follows a store into which records come; when the warehouse was asked, how often the store, and what was said.

    Applying takes 2 s and the copy.
    """
    clock, asked, looked, said = Clock(seconds), [], [0], io.StringIO()

    def record_keys(*_: object) -> set[str]:
        looked[0] += 1
        return {record for at, record in committed.items() if at <= clock.now}

    def apply(context: Context, _: str) -> list[SimpleNamespace]:
        asked.append(clock.now)
        with context.report.step("copy"):
            clock.now += copying
        with context.report.step("build and test"):
            clock.now += 2
        context.report.run.batches.append(f"{len(asked)}")
        context.report.run.outcome = "published"
        return [SimpleNamespace(batch_id="b")]

    for module in (follow, report, runs):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(follow, "record_keys", record_keys)
    monkeypatch.setattr(follow, "apply", apply)
    context = Context(SimpleNamespace(address=str), *[None] * 4, Report(Console(file=said)))  # type: ignore[arg-type]
    follow.apply_as_landed(context, "sample", folder, poll)
    return asked, looked[0], said.getvalue()


def test_the_warehouse_is_asked_once_at_the_start_and_once_for_what_was_committed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, looked, _ = follow_for(monkeypatch, 3600, {0: "000001", 1800: "000002"}, copying=0, poll=10)
    assert len(asked) == 2
    assert 300 < looked < 400


def test_the_withdrawal_of_an_older_batch_is_noticed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    records = {0: "000001/manifest.json", 10: "000002/manifest.json", 100: "000001/withdrawn.json"}
    asked, *_ = follow_for(monkeypatch, 200, records, copying=0, poll=1)
    assert [at // 10 for at in asked] == [0, 1, 10]


def test_a_cheap_copy_is_made_for_every_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    committed = {float(10 * number): f"{number:06d}" for number in range(10)}
    asked, _, said = follow_for(monkeypatch, 100, committed, copying=0.1, poll=0.5)
    assert len(asked) == 10
    assert "together" not in said


def test_a_dear_copy_takes_no_more_than_a_tenth_of_the_time_and_it_is_said_when_the_next_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    committed = {float(number): f"{number:06d}" for number in range(1000)}
    asked, _, said = follow_for(monkeypatch, 1000, committed, copying=5, poll=0.5)
    assert 18 <= len(asked) <= 21
    assert "5.0 s of it copying: what comes now is published together, not before " in said


def test_each_publication_leaves_a_record_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    committed = {0: "000001", 10: "000002", 20: "000003"}
    follow_for(monkeypatch, 40, committed, copying=1, poll=1, folder=tmp_path)
    records = runs.read(tmp_path)
    assert [record["batches"] for record in records] == [["3"], ["2"], ["1"]]
    assert {tuple(name for name, _ in record["steps"]) for record in records} == {("copy", "build and test")}
