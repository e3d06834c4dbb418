"""The gate's other side: one JSON line for each line on stdin, nothing else on stdout."""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import threading
import time
import traceback
from typing import IO

from expectations.put_off import put_off


def serve(target: str, accepted: frozenset[str] = frozenset()) -> None:
    """Says that it is ready, then answers `raw`, `marts` and `docs` until stdin ends."""
    started = time.monotonic()
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    answers = _own_stdout()
    gc.set_threshold(100_000, 50, 100)  # imports leave no garbage, but looking for it takes a tenth of them
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)

    put_off("scipy.stats")  # a quarter of the start
    from expectations.connection import ConnectionNeeds
    from expectations.runner import STAGES, Runner
    from expectations.state import NothingLoaded

    runner = Runner(target, accepted)
    try:
        runner.prepare()
    except ConnectionNeeds as error:
        _answer(answers, {"error": str(error)})
        return
    except Exception as error:
        traceback.print_exc()
        _answer(answers, {"error": f"The expectations could not be prepared for {target}: {first_line(error)}"})
        return
    _answer(answers, {"ready": True, "seconds": round(time.monotonic() - started, 3)})
    for line in sys.stdin:
        command = line.strip()
        try:
            if command in STAGES:
                print(runner.check(command).to_json(), file=answers, flush=True)
            elif command == "docs":
                _answer(answers, {"docs": str(runner.docs())})
            else:
                _answer(answers, {"error": f"unknown command {command!r}: raw, marts or docs"})
        except (ConnectionNeeds, NothingLoaded) as error:
            _answer(answers, {"error": str(error)})
        except Exception as error:
            traceback.print_exc()
            _answer(answers, {"error": f"The {command} expectations could not be run on {target}: {first_line(error)}"})
    os._exit(0)  # to take all the modules down again would cost the run a second


def first_line(error: Exception) -> str:
    """What an error of a driver says, without statement and background."""
    return str(getattr(error, "orig", error)).strip().split("\n")[0][:400]


def _end_with(parent: int) -> None:
    """Ends this process when its parent is gone: after a kill, no check may go on holding the DuckDB file."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


def _own_stdout() -> IO[str]:
    """Stdout for answers alone: whatever else is printed goes to stderr, from libraries in C as well."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return answers


def _answer(answers: IO[str], content: dict[str, object]) -> None:
    print(json.dumps(content), file=answers, flush=True)
