"""The quick proof: never more than the pattern admits, and enough for what GroupLens writes."""

from __future__ import annotations

import re
import zipfile
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.lines import judge
from ingest.lines.reader import Lines
from ingest.lines.rules import line_pattern
from ingest.schema import TABLES, Kind, Table
from ingest.sources.sample.generate import generate

RATINGS, SCORES = (TABLES[name] for name in ("ratings", "genome_scores"))
NUMBERS = [RATINGS, SCORES]
TYPICAL: dict[Kind, list[str]] = {
    "id": ["1", "999999999"],
    "rating": ["0.5", "1.0", "3.5", "5.0"],
    "timestamp": ["0", "964982703", "1537799250"],
    "imdb_id": ["0114709", "11860244", ""],
    "tmdb_id": ["862", ""],
    "relevance": ["0.025000000000000022", "0.02749999999999997", "0.00025", "1", "0", "1.0", "0.0", "0." + "5" * 60],
}
NEAR = (
    *("999999999999", "253402300800", "4.04", "1.01", "450", "150"),
    *("", "0", "01", "1234567890", "2147483647", "2147483648", "9" * 19, "12345678901", "-1", "+1", " 1", "1 "),
    *("1.", ".5", "0.", "5.5", "0.0", "3.25", "6.0", "..5", "4..", "1.1", "1.00", "0.1.2", "0." + "1" * 61, "1e-05"),
    *('"1"', '"', "٣", "\u00b2", "\x01", "\x00", "a", "/", ":", "1\r", "1,1", "1\n1", "3,5", "4/0", "\u0661.5"),
)


def lines_of(table: Table, *, odd: bool) -> st.SearchStrategy[bytes]:
    values = [st.sampled_from(TYPICAL[column.kind]) for column in table.columns]
    if odd:
        digits = st.text('0159.,"-e \n', max_size=6)
        values = [st.sampled_from(NEAR) | digits | typical for typical in values]
    return st.tuples(*values).map(lambda line: f"{','.join(line)}\n".encode())


def all_plain(table: Table, lines: bytes) -> bool:
    return judge.is_plain(table, np.frombuffer(lines, np.uint8))


def match(table: Table, lines: bytes) -> bool:
    return all(re.fullmatch(line_pattern(table), line) for line in lines.decode().removesuffix("\n").split("\n"))


@settings(max_examples=400, deadline=None)
@given(st.data(), st.sampled_from(NUMBERS), st.integers(1, 60))
def test_what_is_proven_matches_the_pattern(data: st.DataObject, table: Table, step: int) -> None:
    typical = st.lists(lines_of(table, odd=False), max_size=4)
    lines = b"".join([*data.draw(typical), data.draw(lines_of(table, odd=True)), *data.draw(typical)])
    assert not all_plain(table, lines) or match(table, lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "STEP", step)
        bad = [not match(table, line + b"\n") for line in lines.removesuffix(b"\n").split(b"\n")]
        assert list(judge.bad_rows(table, lines)) == [row for row, is_bad in enumerate(bad) if is_bad]


@pytest.mark.parametrize("table", NUMBERS, ids=lambda table: table.name)
def test_of_all_short_values_only_those_of_the_domain_are_proven(table: Table) -> None:
    short = ["".join(value) for length in range(4) for value in product("0159.,\n-", repeat=length)]
    before = ",".join(TYPICAL[column.kind][0] for column in table.columns) + "\n"
    for number, value in product(range(len(table.columns)), [*short, *NEAR]):
        line = [TYPICAL[column.kind][0] for column in table.columns]
        line[number] = value
        lines = f"{before}{','.join(line)}\n"
        assert not all_plain(table, lines.encode()) or match(table, lines.encode()), lines


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        (RATINGS, "1-2,3.5,4\n"),
        (RATINGS, "1 2 3.5 4\n"),
        (RATINGS, "1,2,3.5\n4,5,6,3.5\n"),
        (RATINGS, "1,2,3.5,4,5\n1,2,3.5\n"),
        (RATINGS, "1.5,2,450,3\n"),
        (RATINGS, "1,2,450,3\n1,2,3.5,4.0\n"),
        (SCORES, "1,2a,150\n"),
        (SCORES, "1,2.5,150\n"),
    ],
)
def test_one_fault_does_not_make_up_for_another(table: Table, lines: str) -> None:
    assert not match(table, lines.encode())
    assert not all_plain(table, lines.encode())


@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from(NUMBERS))
def test_what_grouplens_writes_is_proven(data: st.DataObject, table: Table) -> None:
    assert all_plain(table, b"".join(data.draw(st.lists(lines_of(table, odd=False), min_size=1))))


@pytest.mark.parametrize("lines", [b"1,2,3.5,4", b"1,2,3.5,4\n1", b"1,2,3.5,4\n1,2,3.5,4"])
def test_a_line_that_does_not_end_is_not_proven(lines: bytes) -> None:
    assert not all_plain(RATINGS, lines)


@pytest.mark.parametrize("table", [table for table in TABLES.values() if table.has_text], ids=lambda table: table.name)
def test_free_text_is_not_proven(table: Table) -> None:
    assert not all_plain(table, (",".join("1" for _ in table.columns) + "\n").encode())


def test_the_numbers_of_the_sample_are_proven(tmp_path: Path) -> None:
    generate(tmp_path, ratings=2_000)
    for table in NUMBERS:
        with (tmp_path / table.file).open("rb") as stream:
            assert all(all_plain(table, block.csv) for block in Lines(stream, table, lambda _: None).blocks()), (
                table.file
            )


@pytest.mark.parametrize("release", ["ml-latest-small.zip", "ml-latest-small-2016-10.zip"])
def test_the_numbers_of_a_real_release_are_proven(releases_folder: Path, release: str) -> None:
    if not (releases_folder / release).exists():
        pytest.skip(f"no {release} in {releases_folder}")
    with zipfile.ZipFile(releases_folder / release) as archive:
        [name] = [name for name in archive.namelist() if name.endswith("/ratings.csv")]
        with archive.open(name) as stream:
            assert all(all_plain(RATINGS, block.csv) for block in Lines(stream, RATINGS, lambda _: None).blocks())  # type: ignore[arg-type]
