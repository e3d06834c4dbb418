"""Columns of numbers and texts as CSV files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.schema import Table

CHUNK = 400_000
_NEEDS_QUOTES = re.compile(r'[,"\r\n]')


def texts(values: Iterable[str]) -> NDArray[np.bytes_]:
    """Texts as a column of ready CSV fields, in UTF-8: quoted only when they must be, quotes doubled."""
    quoted = ('"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text for text in values)
    return np.array([field.encode() for field in quoted], dtype="S")


def csv_lines(*columns: NDArray[Any]) -> bytes:
    """One line per row. Integers are written in decimal, byte strings as they are (see `texts`)."""
    line = b",".join(b"%b" if column.dtype.kind == "S" else b"%d" for column in columns) + b"\n"
    return b"".join([line % row for row in zip(*(column.tolist() for column in columns), strict=True)])


def write_table(folder: Path, table: Table, chunks: Iterable[Sequence[NDArray[Any]]]) -> None:
    """Writes a table's CSV."""
    with (folder / table.file).open("wb") as file:
        file.write(f"{table.header}\n".encode())
        file.writelines(csv_lines(*columns) for columns in chunks)
