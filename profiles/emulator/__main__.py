"""`python -m profiles.emulator --data-dir DIR [--port 0]`: a local Snowflake emulator, for tests and for the curious.

The object store's address and credentials come from the environment (S3_ENDPOINT_URL, AWS_ACCESS_KEY_ID, …).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from profiles.emulator.server import serve


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m profiles.emulator", description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True, help="folder of the database files")
    parser.add_argument("--port", type=int, default=0, help="0: any free port, printed as JSON with the password")
    parser.add_argument("--timezone", default="UTC", help="the account's session time zone")
    parser.add_argument("--first-row", type=int, default=1, choices=(1, 2), help="2: a skipped header counts as a row")
    arguments = parser.parse_args()
    serve(arguments.data_dir.resolve(), arguments.port, arguments.timezone, arguments.first_row)


if __name__ == "__main__":
    main()
