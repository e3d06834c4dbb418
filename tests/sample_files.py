"""Reads what the sample generator wrote, as text."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from ingest.schema import TABLES

Content = dict[str, list[tuple[str, ...]]]
"""The rows of each table that a day has."""


def read(folder: Path) -> Content:
    """The tables of a folder, by the names of `TABLES`; each header must be the schema's."""
    content = {}
    for name, table in TABLES.items():
        path = folder / table.file
        if path.exists():
            header, *rows = csv.reader(io.StringIO(path.read_bytes().decode(), newline=""), strict=True)
            assert ",".join(header) == table.header
            content[name] = [tuple(row) for row in rows]
    return content
