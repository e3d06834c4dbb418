"""Older releases and copies from the file to the marts, through the gate, checked against a reading of the files."""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from expectations.gate import Gate
from ingest.batches.landing import Landing, land
from ingest.sources.sample.generate import generate
from notebooks import run
from pipeline import target
from pipeline.__main__ import app
from tests.older_forms import FormName, write_as
from tests.pipeline.harness import Batch, Lab
from tests.pipeline.oracle import Oracle, assert_as_told
from tests.pipeline.relations import Row

AS_OF = datetime(2020, 1, 1, tzinfo=UTC)
STATES = {"85711": "AZ", "94043": "CA", "55455": "MN"}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    generate(folder, ratings=2_000)
    return folder


def fields(path: Path, separator: str, encoding: str = "utf-8") -> list[list[str]]:
    return [line.split(separator) for line in path.read_text(encoding).splitlines() if line]


def tables_of(folder: Path, form: FormName) -> dict[str, list[Row]]:
    """The rows of a release's files as its README describes them, without a line of the project's."""
    if form == "ml-100k":
        genres = [name for name, _ in fields(folder / "u.genre", "|")]
        movies: list[Row] = []
        for number, *rest in fields(folder / "u.item", "|", "iso-8859-1"):  # then dates, an address and the flags
            flagged = (name for name, flag in zip(genres, rest[-19:], strict=True) if flag == "1")
            movies.append((number, "|".join(rest[:-22]), "|".join(flagged)))
        users = [(user, gender, age, *rest) for user, age, gender, *rest in fields(folder / "u.user", "|")]
        return {"movies": movies, "ratings": list(map(tuple, fields(folder / "u.data", "\t"))), "users": users}
    encoding = "iso-8859-1" if form == "ml-1m" else "utf-8"
    movies = [(row[0], "::".join(row[1:-1]), row[-1]) for row in fields(folder / "movies.dat", "::", encoding)]
    rows = {"movies": movies, "ratings": list(map(tuple, fields(folder / "ratings.dat", "::")))}
    other = "users" if form == "ml-1m" else "tags"
    return rows | {other: list(map(tuple, fields(folder / f"{other}.dat", "::")))}


@pytest.mark.parametrize("form", ["ml-100k", "ml-1m", "ml-10m"])
def test_the_marts_of_an_older_release_are_what_its_files_say(
    lab: Lab, gate: Gate, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: FormName
) -> None:
    monkeypatch.setattr(target, "Gate", lambda _: nullcontext(gate))
    dataset = lab.new_dataset()
    write_as(form, sample, tmp_path / "zipped" / form)
    archive = shutil.make_archive(str(tmp_path / form), "zip", tmp_path / "zipped")
    with lab.environment():
        done = CliRunner().invoke(app, ["dev", dataset, "--source", archive, "--as-of", f"{AS_OF:%Y-%m-%d}"])
    assert done.exit_code == 0, done.output
    assert "gate" in done.output
    tables, oracle = tables_of(tmp_path / "zipped" / form, form), Oracle()
    oracle.take(Batch(AS_OF, tables))
    assert_as_told(lab.warehouse, oracle)
    assert lab.rows("select table_name, rows_loaded from raw.load_ledger order by 1") == [
        (name, len(tables[name])) for name in sorted(tables)
    ]
    idle = [] if form == "ml-10m" else [(len(tables["users"]),)]
    assert lab.rows("select user_id from marts.dim_users where rating_count = 0") == idle
    occupations = {occupation for (occupation,) in lab.rows("select occupation from marts.dim_users")}
    assert ("academic/educator" in occupations) == (form == "ml-1m")
    if form == "ml-1m":
        with lab.environment():
            page = run.render(run.execute(run.notebooks()[0], tmp_path), run.notebooks()[0])
        assert f"{len({user for user, *_ in tables['ratings']})} people" in page
    said = lab.rows("select source_file, first_line from raw.files where table_name = 'ratings'")
    assert said == [("u.data" if form == "ml-100k" else "ratings.dat", 1)]


def test_a_delta_corrects_a_user_of_ml_100k(lab: Lab, sample: Path, tmp_path: Path) -> None:
    dataset, oracle = lab.new_dataset(), Oracle()
    write_as("ml-100k", sample, tmp_path / "old")
    land(Landing(dataset, tmp_path / "old", as_of=datetime(1998, 4, 22, tzinfo=UTC)), lab.store, lab.settings)
    lab.apply(dataset)
    oracle.take(Batch(datetime(1998, 4, 22, tzinfo=UTC), tables_of(tmp_path / "old", "ml-100k")))
    codes = dict(lab.rows("select distinct zip_code, state from marts.dim_users"))
    assert codes.keys() > {"V3N4P", "00000", "98107-2117", "600030000"}
    assert {code: state for code, state in codes.items() if code in STATES} == STATES

    changed = Batch(datetime(1998, 5, 1, tzinfo=UTC), {"users": [(1, "F", 30, "pilot", "10001")]}, {"users": "delta"})
    lab.manifest(dataset, changed)
    oracle.take(changed)
    lab.apply(dataset)
    assert_as_told(lab.warehouse, oracle)
    person = "select gender, age_band, occupation, zip_code, state from marts.dim_users where user_id = 1"
    assert lab.rows(person) == [("F", "25-34", "pilot", "10001", "NY")]
    before, history = lab.marts(), lab.history()
    lab.delete_warehouse()
    lab.apply(dataset)
    assert (lab.marts(), lab.history()) == (before, history)
