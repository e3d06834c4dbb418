"""The rules of a good line stand in one place: narrow one there, and every line is judged by it."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.lines.parts import cut
from ingest.lines.rules import RULES, Form, Rule, Share, Tenths, Whole, line_pattern, reason
from ingest.schema import TABLES, Kind
from ingest.sources.archive import open_source
from ingest.sources.sample.generate import generate


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    generate(folder, ratings=5_000)
    return folder


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


NARROWER: dict[str, tuple[Kind, Rule, Callable[[str], bool]]] = {
    "whole stars": ("rating", Tenths(10, 50, 10, "a whole star"), lambda value: Fraction(value) % 1 == 0),
    "up to four stars": ("rating", Tenths(5, 40, 5, "a half star"), lambda value: Fraction(value) <= 4),
    "ids up to 1,000": ("id", Whole(1, 1000), lambda value: int(value) <= 1000),
    "ids from 10": ("id", Whole(10, 2**31 - 1), lambda value: int(value) >= 10),
    "early timestamps": ("timestamp", Whole(0, 1_300_000_000), lambda value: int(value) <= 1_300_000_000),
    "seven digits": ("imdb_id", Form("[0-9]{1,7}", "digits", optional=True), lambda value: len(value) <= 7),
    "small tmdb ids": ("tmdb_id", Whole(1, 5000, optional=True), lambda value: not value or int(value) <= 5000),
    "three decimals": ("relevance", Share(3), lambda value: len(value.partition(".")[2]) <= 3),
}


@pytest.mark.parametrize("case", NARROWER)
def test_a_rule_that_is_narrowed_in_its_statement_judges_every_line(
    case: str, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, rule, good = NARROWER[case]
    monkeypatch.setitem(RULES, kind, rule)
    with open_source(sample) as source:
        batch = cut(source, tmp_path, "test/000001", dict.fromkeys(source.tables, "full"), max_rejected=1)
    judged = 0
    for name, table in batch.tables.items():
        columns = [number for number, column in enumerate(TABLES[name].columns) if column.kind == kind]
        if columns:
            found = [all(good(row[number]) for number in columns) for row in rows(sample / table.source_file)]
            assert table.rows_rejected == found.count(False)
            assert table.rows_read - table.rows_rejected == sum(part.rows for part in table.parts) == found.count(True)
            judged += found.count(False)
    assert judged > 0


@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 3500))
def test_the_pattern_of_a_range_has_the_numbers_between_and_no_other(low: int, high: int, value: int) -> None:
    low, high = sorted((low, high))
    assert bool(re.fullmatch(Whole(low, high).pattern, str(value))) == (low <= value <= high)


@pytest.mark.parametrize("kind", ["id", "timestamp", "tmdb_id"])
def test_the_bounds_of_a_rule_are_in_and_the_numbers_beside_them_out(kind: Kind) -> None:
    rule = RULES[kind]
    assert isinstance(rule, Whole)
    for value in (rule.low, rule.high):
        assert re.fullmatch(rule.pattern, f"{value}")
    for value in (rule.low - 1, rule.high + 1, 10 * rule.high):
        assert not re.fullmatch(rule.pattern, f"{value}")


def test_the_reason_says_what_the_rule_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "rating", Tenths(10, 50, 10, "a whole star"))
    ratings = TABLES["ratings"]
    assert reason(ratings, "1,2,3.5,4") == "rating '3.5' is not a whole star from 1.0 to 5.0"
    assert re.fullmatch(line_pattern(ratings), "1,2,3.0,4")
