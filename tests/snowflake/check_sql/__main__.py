"""The command: `python -m tests.snowflake.check_sql PATH…`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.snowflake.check_sql.check import check
from tests.snowflake.check_sql.rules import Finding

_BLOCKS = re.compile(r"^[ \t]*(```|~~~)[ \t]*sql\b[^\n]*\n(.*?)^[ \t]*\1", re.DOTALL | re.IGNORECASE | re.MULTILINE)


def texts(file: Path) -> Iterator[tuple[str, str]]:
    """The SQL of a file and where it stands: each statement of an emulator's record, each block of SQL of a page."""
    content = file.read_text(encoding="utf-8")
    if file.suffix == ".jsonl":
        sent = dict.fromkeys(json.loads(line)["sql"] for line in content.splitlines())
        yield from ((f"{file} ({' '.join(sql.split())[:60]})", sql) for sql in sent)
    elif file.suffix == ".md":
        yield from ((str(file), block) for _, block in _BLOCKS.findall(content))
    else:
        yield str(file), content


def main() -> int:
    """Check the files, and those below the folders, that the command line names; 1 when there is a finding."""
    found, files = [], []
    for path in map(Path, sys.argv[1:]):
        below = sorted(path.rglob("*")) if path.is_dir() else []
        named = [each for each in below if each.suffix.lower() == ".sql" and each.is_file()] or [path] * path.is_file()
        if not named:
            print(f"{path} is no SQL file and no folder that holds one", file=sys.stderr)
            return 2
        files += named
    for file in files:
        try:
            found += [finding for name, sql in texts(file) for finding in check(sql, name)]
        except UnicodeDecodeError as error:
            found.append(Finding("syntax", 1, "the file", str(file), f"it is not UTF-8 ({error.reason})"))
        except (ValueError, LookupError, TypeError):
            found.append(Finding("syntax", 1, "the file", str(file), "it is no record of an emulator's statements"))
    for finding in found:
        print(finding)
    print(f"{len(found)} findings in {len(files)} files", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
