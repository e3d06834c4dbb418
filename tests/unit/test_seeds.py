"""The seeds are whole and clear: dbt tests no more of them than their keys, since they change by hand alone."""

from __future__ import annotations

import csv
from itertools import pairwise

import pytest

from tests.conftest import REPO

SEEDS = {path.stem: path for path in sorted((REPO / "transform" / "seeds").glob("*.csv"))}


def rows(name: str) -> list[dict[str, str]]:
    with SEEDS[name].open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", SEEDS)
def test_a_seed_has_no_blank_value(name: str) -> None:
    assert all(all(row.values()) for row in rows(name))


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("age_bands", "age_band"),
        ("genre_names", "sort_order"),
        ("occupations", "occupation"),
        ("rating_scale", "label"),
    ],
)
def test_a_name_stands_for_one_thing(name: str, column: str) -> None:
    values = [row[column] for row in rows(name)]
    assert len(values) == len(set(values))


def test_no_age_and_no_zip_code_lies_in_two_ranges() -> None:
    ages = [(int(row["from_age"]), int(row["to_age"])) for row in rows("age_bands")]
    zips = [(int(row["from_prefix"]), int(row["to_prefix"])) for row in rows("zip_prefixes")]
    for ranges in (ages, zips):
        assert all(first <= last for first, last in ranges)
        assert all(last < first for (_, last), (first, _) in pairwise(ranges))
