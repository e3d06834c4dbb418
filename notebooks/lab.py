"""`python -m notebooks.lab`: JupyterLab on the marts, in the environment of a run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ingest.errors import IngestError
from profiles.environment import adopt

if __name__ == "__main__":
    try:
        adopt()
    except IngestError as error:
        sys.exit(f"error: {error}")
    folder = str(Path(__file__).parent)
    own = "--KernelManager.transport=ipc"  # on a port, what a cell prints would be there for everyone on the machine
    command = [sys.executable, "-m", "jupyterlab", "--notebook-dir", folder, own, *sys.argv[1:]]
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted
