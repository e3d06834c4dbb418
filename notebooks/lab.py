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
    command = [sys.executable, "-m", "jupyterlab", "--notebook-dir", folder, *sys.argv[1:]]
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted
