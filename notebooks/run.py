"""Executes the notebooks on the current warehouse and renders each as one HTML page, which loads nothing from anywhere.

The notebooks stay as they are.
"""

from __future__ import annotations

import html
import os
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert import HTMLExporter
from traitlets.config import Config

from ingest.text import visible
from notebooks import marts
from profiles.errors import PipelineError

FOLDER = Path(__file__).parent
CELL_SECONDS = 300
_CHART_TITLE = re.compile(r"aria-label=\"Title text '(.+?)'")


def notebooks() -> list[Path]:
    """The project's notebooks, in reading order."""
    return sorted(FOLDER.glob("[0-9]*.ipynb"))


def _read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def heading(notebook: Path) -> str:
    """A notebook's title: its first heading."""
    return str(_read(notebook).cells[0].source).splitlines()[0].removeprefix("# ")


def execute(path: Path, scratch: Path) -> Any:
    """The notebook with its outputs; raises `PipelineError` with the first cell that fails.

    Parameters: `scratch`, an empty folder with a short name, for the kernel's sockets.
    """
    notebook = _read(path)
    client = NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3")
    client.km = client.create_kernel_manager()
    # Sockets of this user alone; a loopback port would be open to everyone on the machine.
    client.km.transport, client.km.ip = "ipc", str(scratch / path.stem[:2])
    try:
        client.execute(cwd=str(FOLDER), env={**os.environ, "PYTHONPATH": str(marts.ROOT)})
    except (CellExecutionError, CellTimeoutError, RuntimeError) as error:
        started = max((at for at, cell in enumerate(notebook.cells, 1) if "execution" in cell.metadata), default=0)
        if isinstance(error, CellExecutionError):
            why = f"{error.ename}: {error.evalue}\n{notebook.cells[started - 1].source}"
        elif isinstance(error, DeadKernelError):
            why = (
                "its Python was killed: out of memory, perhaps, or a library that cannot bear what is in the data. Run "
                "the cell in `nox -s lab` to see more."
            )
        else:
            why = " ".join(str(error).split())[:400]
        raise PipelineError(f"{path.name}, cell {started} of {len(notebook.cells)}: {why}") from None
    return notebook


def render(notebook: Any, path: Path) -> str:
    """An executed notebook as a page of its own, with links to its neighbours."""
    for output in (output for cell in notebook.cells for output in cell.get("outputs", ())):
        if label := _CHART_TITLE.search(str(output.get("data", {}).get("image/svg+xml", ""))):
            output.metadata["alt"] = html.unescape(label[1])
    paths = [None, *notebooks(), None]
    place = paths.index(path)
    resources = {
        "title": heading(path),
        "before": paths[place - 1],
        "after": paths[place + 1],
        "heading": heading,
        "style": (FOLDER / "template" / "style.css").read_text(encoding="utf-8"),
    }
    config = Config({"HTMLExporter": {"template_name": "template", "extra_template_basedirs": [str(FOLDER)]}})
    page, _ = HTMLExporter(config=config).from_notebook_node(  # type: ignore[no-untyped-call]
        notebook, resources=resources
    )
    return visible(str(page))


def run(out: Path) -> None:
    """Executes all notebooks and renders them into the folder `out`, two at a time, with a line each.

    Raises `PipelineError` with all that failed; a failed notebook leaves an earlier run's page alone.
    """
    out.mkdir(parents=True, exist_ok=True)

    def one(path: Path) -> str:
        start = time.monotonic()
        try:
            page = render(execute(path, Path(scratch)), path)
        except PipelineError as error:
            print(f"FAILED   {path.name}", flush=True)
            return str(error)
        (out / f"{path.stem}.html").write_text(page, encoding="utf-8")
        print(f"{time.monotonic() - start:5.1f} s  {out / path.stem}.html", flush=True)
        return ""

    # A socket's path may have 104 characters on macOS, whose own temporary folder takes half of them.
    with tempfile.TemporaryDirectory(dir="/tmp") as scratch, ThreadPoolExecutor(max_workers=2) as workers:
        # Nothing of a run stays in the home folder.
        os.environ |= dict.fromkeys(
            ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR"), scratch
        )
        if failures := list(filter(None, workers.map(one, notebooks()))):
            raise PipelineError("\n".join(failures))
