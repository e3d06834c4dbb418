"""The command: `python -m tests.snowflake.check_sql PATH…`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.snowflake.check_sql.check import check


def main() -> int:
    """Check the files, and those below the folders, that the command line names; 1 when there is a finding."""
    found, files = [], []
    for path in map(Path, sys.argv[1:]):
        named = sorted(path.rglob("*.sql")) if path.is_dir() else [path] if path.is_file() else []
        if not named:
            print(f"{path} is no SQL file and no folder that holds one", file=sys.stderr)
            return 2
        files += named
    for file in files:
        found += check(file.read_text(encoding="utf-8"), str(file))
    for finding in found:
        print(finding)
    print(f"{len(found)} findings in {len(files)} files", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
