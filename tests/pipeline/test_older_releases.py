"""Older releases from the file to the marts: who the users are, beside what they rated."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.batches.landing import Landing, land
from ingest.sources.sample import generate
from ingest.sources.sample.older import OCCUPATIONS, Form, write_as
from tests.pipeline.harness import Lab

BANDS = {1: "Under 18", 18: "18-24", 25: "25-34", 35: "35-44", 45: "45-49", 50: "50-55", 56: "56+"}
STATES = {"85711": "AZ", "94043": "CA", "55455": "MN"}
USERS = "select user_id, gender, age_band, occupation, zip_code, state from marts.dim_users order by user_id"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    generate(folder, ratings=2_000)
    return folder


def test_the_users_of_ml_100k_are_those_of_its_file_and_a_delta_corrects_one(
    lab: Lab, sample: Path, tmp_path: Path
) -> None:
    dataset = lab.new_dataset()
    write_as("ml-100k", sample, tmp_path / "old")
    land(Landing(dataset, tmp_path / "old", as_of=datetime(1998, 4, 22, tzinfo=UTC)), lab.store, lab.settings)
    lab.apply(dataset)
    lines = [line.split("|") for line in (tmp_path / "old" / "u.user").read_text().splitlines()]
    expected = [
        (int(user), gender, BANDS[int(age)], occupation, code, STATES.get(code))
        for user, age, gender, occupation, code in lines
    ]
    assert {code for *_, code, _ in expected} > {"V3N4P", "00000", "98107-2117", "600030000"}
    assert lab.rows(USERS) == expected
    idle, active = lab.rows("select rating_count = 0, count(*) from marts.dim_users group by 1 order by 1 desc")
    assert (idle[1], active[1]) == (1, len(lines) - 1)

    (tmp_path / "delta").mkdir()
    (tmp_path / "delta" / "users.csv").write_text("userId,gender,age,occupation,zipCode\n1,F,30,pilot,10001\n")
    changed = Landing(dataset, tmp_path / "delta", "delta", datetime(1998, 5, 1, tzinfo=UTC))
    land(changed, lab.store, lab.settings)
    lab.apply(dataset)
    assert lab.rows(USERS) == [(1, "F", "25-34", "pilot", "10001", "NY"), *expected[1:]]
    versions = "select occupation, valid_to is null from snapshots.snap_users where user_id = 1 order by valid_from"
    assert lab.rows(versions) == [(expected[0][3], False), ("pilot", True)]
    before, history = lab.marts(), lab.history()
    lab.delete_warehouse()
    lab.apply(dataset)
    assert (lab.marts(), lab.history()) == (before, history)


@pytest.mark.parametrize("form", ["ml-1m", "ml-10m"])
def test_an_older_release_is_the_same_in_the_marts_as_in_its_files(
    lab: Lab, sample: Path, tmp_path: Path, form: Form
) -> None:
    dataset = lab.new_dataset()
    write_as(form, sample, tmp_path / "old")
    lab.land_archive(dataset, tmp_path / "old")
    lab.apply(dataset)
    encoding = "iso-8859-1" if form == "ml-1m" else "utf-8"
    text = (tmp_path / "old" / "movies.dat").read_bytes().decode(encoding)
    titles = {int(line.split("::")[0]): line.split("::", 1)[1].rsplit("::", 1)[0] for line in text.splitlines()}
    assert dict(lab.rows("select movie_id, source_title from marts.dim_movies where not is_inferred")) == titles
    with (tmp_path / "old" / "ratings.dat").open() as file:
        ratings = {(int(user), int(movie)): float(stars) for user, movie, stars, _ in csv_lines(file)}
    found = lab.rows("select user_id, movie_id, rating from marts.fact_ratings")
    assert {(user, movie): float(str(stars)) for user, movie, stars in found} == ratings
    occupations = {row[0] for row in lab.rows("select occupation from marts.dim_users")}
    assert ("academic/educator" in occupations) == (form == "ml-1m")
    codes = {str(number) for number in range(len(OCCUPATIONS))}
    assert not occupations & codes
    said = lab.rows("select source_file, first_line from raw.files where table_name = 'ratings'")
    assert said == [("ratings.dat", 1)]


def csv_lines(file: object) -> list[list[str]]:
    return list(csv.reader(line.replace("::", ",") for line in file))  # type: ignore[attr-defined]
