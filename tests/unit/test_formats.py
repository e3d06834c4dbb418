"""Older releases and copies are landed as the CSV of the contract, row by row, with the source's file and line."""

from __future__ import annotations

import csv
import io
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard

from ingest.errors import QuarantineError, SourceError
from ingest.lines.parts import CutBatch, cut
from ingest.lines.quarantine import Rejected
from ingest.schema import TABLES
from ingest.sources.archive import open_source
from ingest.sources.formats import GENRES, NO_GENRES
from ingest.sources.names import recognise
from ingest.sources.replay import slices
from ingest.sources.sample.generate import generate
from tests.older_forms import FORMS, ODD_MOVIES, FormName, write_as

OLDER: list[FormName] = ["ml-100k", "ml-1m", "ml-10m"]
COPIES: list[FormName] = ["kaggle", "pandas", "spreadsheet"]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    generate(folder, ratings=2_000)
    return folder


def landed(folder: Path, work: Path, **options: float) -> CutBatch:
    with open_source(folder) as source:
        return cut(source, work, "test/000001", dict.fromkeys(source.tables, "full"), **options)  # type: ignore[arg-type]


def rows(batch: CutBatch, table: str) -> list[list[str]]:
    """The rows in a table's parts, read as CSV."""
    found = []
    for part in batch.tables[table].parts:
        with (batch.work / part.key).open("rb") as file:
            text = zstandard.ZstdDecompressor().stream_reader(file).read().decode()
        header, *data = csv.reader(io.StringIO(text, newline=""))
        assert header == TABLES[table].header.split(",")
        found += data
    return found


def source_rows(sample: Path, table: str) -> list[list[str]]:
    with (sample / TABLES[table].file).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def rejected(batch: CutBatch) -> list[dict[str, str]]:
    found = []
    for part in batch.rejected:
        with (batch.work / part.key).open("rb") as file:
            text = zstandard.ZstdDecompressor().stream_reader(file).read().decode()
        found += list(csv.DictReader(io.StringIO(text, newline="")))
    assert all(list(record) == list(Rejected._fields) for record in found)
    return found


@pytest.mark.parametrize("header", [False, True], ids=["no header", "header"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("form", OLDER)
def test_an_older_release_is_landed_row_by_row(
    sample: Path, tmp_path: Path, form: FormName, header: bool, line_end: str
) -> None:
    write_as(form, sample, tmp_path / "old" / form, header=header, line_end=line_end)
    batch = landed(tmp_path / "old", tmp_path / "work")
    assert batch.rejected == ()
    movies = {movie: (title, genres) for movie, title, genres in rows(batch, "movies")}
    for movie, title, genres in source_rows(sample, "movies"):
        known = [genre.replace("Children", "Children's") for genre in genres.split("|")]
        expected = sorted(genre for genre in known if genre in GENRES) or [NO_GENRES]
        spelled = title if form == "ml-10m" else title.encode("iso-8859-1", "replace").decode("iso-8859-1")
        assert (movies[movie][0], sorted(movies[movie][1].split("|"))) == (spelled, expected)
    assert set(ODD_MOVIES) <= set(movies.values())
    ratings = [(user, movie, float(stars), at) for user, movie, stars, at in rows(batch, "ratings")]
    stars = {"ml-10m": float}.get(form, lambda text: float(max(1, int(float(text)))))
    assert ratings == [(user, movie, stars(text), at) for user, movie, text, at in source_rows(sample, "ratings")]
    assert ("tags" in batch.tables) == (form == "ml-10m")
    if form == "ml-10m":
        assert rows(batch, "tags") == source_rows(sample, "tags")
    assert all(table.parts[0].first_line == 1 + (header and form == "ml-100k") for table in batch.tables.values())


@pytest.mark.parametrize("form", COPIES)
def test_a_copy_is_landed_as_the_release_that_it_was_made_of(sample: Path, tmp_path: Path, form: FormName) -> None:
    write_as(form, sample, tmp_path / "copy")
    batch = landed(tmp_path / "copy", tmp_path / "work")
    assert batch.rejected == ()
    assert set(batch.tables) == {name for name, table in TABLES.items() if (sample / table.file).exists()}
    for table in batch.tables:
        assert rows(batch, table) == source_rows(sample, table)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("ml-100k", {"movies": "ml-100k, iso-8859-1", "ratings": "ml-100k"}),
        ("ml-1m", {"movies": "double colons, iso-8859-1", "ratings": "double colons"}),
        ("ml-10m", {"movies": "double colons", "ratings": "double colons", "tags": "double colons"}),
        ("kaggle", {"movies": "quoted", "ratings": "quoted, timestamps as dates", "links": "quoted"}),
        ("pandas", {"movies": "index column", "ratings": "index column"}),
        ("spreadsheet", {"movies": "semicolons", "ratings": "semicolons"}),
    ],
)
def test_how_a_file_was_read_is_said(sample: Path, tmp_path: Path, form: FormName, said: dict[str, str | None]) -> None:
    write_as(form, sample, tmp_path / "old")
    batch = landed(tmp_path / "old", tmp_path / "work")
    assert {name: batch.tables[name].form for name in said} == said
    files = {"ml-100k": "u.data", "ml-1m": "ratings.dat", "ml-10m": "ratings.dat", "kaggle": "rating.csv"}
    assert batch.tables["ratings"].source_file == files.get(form, "ratings.csv")


@pytest.mark.parametrize(
    ("file", "content", "bad", "line", "why"),
    [
        ("u.data", "1\t1\t3\t4\n2\t1\t6\t5\n", "2\t1\t6\t5", 2, "rating '6' is not"),
        ("u.data", "1\t1\t3\t4\n2\t1\t3\n", "2\t1\t3", 2, "3 fields instead of 4"),
        ("u.data", "user\titem\tstars\tat\n1\t1\t3\t4\n\n1,2,3,4\n", "1,2,3,4", 4, "1 fields instead of 4"),
        ("ratings.dat", "1::1::3::4\n1::1::3,5::4\n", "1::1::3,5::4", 2, "rating '\"3,5\"' is not"),
        ("ratings.csv", "userId;movieId;rating;timestamp\n1;1;3,5;4\n1;1;3,25;4\n", "1;1;3,25;4", 3, "rating '3.25'"),
        ("ratings.dat", "1::1::3::4\nx::1::3::4\n", "x::1::3::4", 2, "userId 'x'"),
        ("ratings.dat", "x::1::3::4\n1::1::3::4\n", "x::1::3::4", 1, "userId 'x'"),
        ("u.item", f"1|A|||{'|0' * 19}\n2|B|||{'|0' * 18}|2\n", f"2|B|||{'|0' * 18}|2", 2, "something else than 0 and 1"),
        ("users.dat", "1::F::1::10::48067\n2::M::56::16::70072::2::2\n", "2::M::56::16::70072::2::2", 2, "7 fields instead"),
        ("u.user", "1|24|M|writer|85711\n2|53|F|other|x|94043\n", "2|53|F|other|x|94043", 2, "6 fields instead of 5"),
        ("movies.dat", "1::A::Drama\n::B::Drama\n", "::B::Drama", 2, "movieId ''"),
        ("rating.csv", 'userId,movieId,rating,timestamp\n1,2,3.5,"2005-04-02 23:53:47"\n1,2,3.5,"2005-13-02 23:53:47"\n',
         '1,2,3.5,"2005-13-02 23:53:47"', 3, "month"),
        ("ratings.csv", ",userId,movieId,rating,timestamp\n0,1,2,3.5,4\nx,1,2,3.5,4\n", "x,1,2,3.5,4", 3, "index column"),
        ("movies.csv", 'movieId;title;genres\n1;"A;B";C\n2;"A"B";C\n', '2;"A"B";C', 3, "expected after"),
    ],
)  # fmt: skip
def test_a_bad_line_is_rejected_as_the_source_has_it(
    tmp_path: Path, file: str, content: str, bad: str, line: int, why: str
) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / file).write_text(content)
    [record] = rejected(landed(tmp_path / "old", tmp_path / "work", max_rejected=0.5))
    assert (record["file"], int(record["line"]), record["raw_line"]) == (file, line, bad)
    assert why in record["reason"]
    with pytest.raises(QuarantineError, match=f"{file}:{line}: "):
        landed(tmp_path / "old", tmp_path / "again")


def test_kaggle_dates_are_seconds_since_1970_in_utc(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    dates = ["2005-04-02 23:53:47", "1970-01-01 00:00:00", "2000-02-29 12:00:01", "2038-01-19 03:14:08"]
    lines = "".join(f"1,{number},3.5,{text}\n" for number, text in enumerate(dates, 1))
    (tmp_path / "old" / "rating.csv").write_text(f"userId,movieId,rating,timestamp\n{lines}")
    seconds = [int(row[3]) for row in rows(landed(tmp_path / "old", tmp_path / "work"), "ratings")]
    assert seconds == [int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) for text in dates]
    assert seconds[0] == 1112486027


def test_whole_numbers_that_pandas_made_floating_are_whole_again(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "ratings.csv").write_text(",userId,movieId,rating,timestamp\n0,1.0,2.0,3.5,964982703.0\n")
    (tmp_path / "old" / "users.csv").write_text(",userId,gender,age,occupation,zipCode\n0,1.0,F,24.0,writer,02138\n")
    batch = landed(tmp_path / "old", tmp_path / "work")
    assert rows(batch, "ratings") == [["1", "2", "3.5", "964982703"]]
    assert rows(batch, "users") == [["1", "F", "24", "writer", "02138"]]


def test_links_that_pandas_saved_without_an_index_are_read(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "links.csv").write_text("movieId,imdbId,tmdbId\n1,113497,\n2,114709,862.0\n")
    (tmp_path / "old" / "users.csv").write_text("userId,gender,age,occupation,zipCode\n1,F,,writer,1\n2,F,24.0,,1\n")
    (tmp_path / "old" / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,4.0,1\n")
    batch = landed(tmp_path / "old", tmp_path / "work")
    assert rows(batch, "links") == [["1", "0113497", ""], ["2", "0114709", "862"]]
    assert rows(batch, "users") == [["1", "F", "", "writer", "1"], ["2", "F", "24", "", "1"]]
    forms = {name: table.form for name, table in batch.tables.items()}
    assert forms == {"ratings": None, "links": "whole numbers with a point", "users": "whole numbers with a point"}


def test_one_number_with_a_point_is_a_bad_line_and_no_form(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "links.csv").write_text("movieId,imdbId,tmdbId\n1,0113497,8844\n2,0114709,862.0\n")
    [record] = rejected(landed(tmp_path / "old", tmp_path / "work", max_rejected=0.5))
    assert (record["raw_line"], "tmdbId '862.0'" in record["reason"]) == ("2,0114709,862.0", True)


def test_a_single_line_that_does_not_end_says_its_form_too(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "rating.csv").write_text("userId,movieId,rating,timestamp\n1,1,4.0,2015-01-01 00:00:00")
    assert rows(landed(tmp_path / "old", tmp_path / "work"), "ratings") == [["1", "1", "4.0", "1420070400"]]


@pytest.mark.parametrize(
    ("encoded", "title"),
    [("Misérables, Les".encode("iso-8859-1"), "Misérables, Les"), ("Misérables, Les".encode(), "Misérables, Les")],
)
def test_a_copy_in_utf8_is_not_taken_for_iso_8859_1(tmp_path: Path, encoded: bytes, title: str) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "movies.dat").write_bytes(b"1::" + b"A" * 100_000 + b"::Drama\n2::" + encoded + b"::Drama\n")
    assert rows(landed(tmp_path / "old", tmp_path / "work"), "movies")[1][1] == title


def test_a_damaged_byte_of_ml_10m_is_no_letter_of_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "tags.dat").write_text("1::1::é::4\n")
    (tmp_path / "old" / "movies.dat").write_bytes("1::é::Drama\n".encode() + b"2::caf\xe9::Drama\n")
    [record] = rejected(landed(tmp_path / "old", tmp_path / "work", max_rejected=0.5))
    assert (record["raw_line"], "not valid UTF-8" in record["reason"]) == ("2::caf\\xe9::Drama", True)


def test_files_of_several_releases_are_not_mixed() -> None:
    with pytest.raises(SourceError, match=r"several releases.*u\.data.*movies\.csv"):
        recognise("x", ["ml-100k/u.data", "movies.csv"])
    with pytest.raises(SourceError, match=r"twice, as ratings\.csv and ratings\.dat"):
        recognise("x", ["ratings.dat", "ratings.csv"])
    assert recognise("x", ["movie.csv", "ratings.csv", "genome_tags.csv"]).warnings == ()


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("form", FORMS)
def test_a_replay_has_the_rows_that_a_landing_has(sample: Path, tmp_path: Path, form: FormName, line_end: str) -> None:
    write_as(form, sample, tmp_path / "old", header=line_end == "\n", line_end=line_end)
    replayed: dict[str, list[list[str]]] = {}
    with open_source(tmp_path / "old") as source:
        for piece in slices(source, tmp_path / "pieces", 3):
            for name, table in TABLES.items():
                if (piece.folder / table.file).exists():
                    replayed.setdefault(name, []).extend(source_rows(piece.folder, name))
    batch = landed(tmp_path / "old", tmp_path / "work")
    assert replayed.keys() == batch.tables.keys()
    for name, found in replayed.items():
        assert sorted(found) == sorted(rows(batch, name))


def test_a_replay_hands_on_what_a_landing_rejects(sample: Path, tmp_path: Path) -> None:
    source, odd = tmp_path / "odd", ['1,1,x,"1262305001"', "1,1,a\\0b,1262305002", "1,1,no time,soon"]
    shutil.copytree(sample, source)
    with (source / "tags.csv").open("a") as tags:
        tags.write("".join(f"{line}\n" for line in odd))
    with open_source(source) as opened:
        files = (piece.folder / "tags.csv" for piece in slices(opened, tmp_path / "pieces", 3))
        pieces = [file.read_text() if file.exists() else "" for file in files]
    assert all(sum(line in piece.splitlines() for piece in pieces) == 1 for line in odd)
    assert odd[2] in pieces[0].splitlines()


@pytest.mark.parametrize("form", FORMS)
def test_the_sample_is_the_same_each_time_in_each_form(sample: Path, tmp_path: Path, form: FormName) -> None:
    for name in "ab":
        write_as(form, sample, tmp_path / name)
    assert {f.name: f.read_bytes() for f in (tmp_path / "a").iterdir()} == {
        f.name: f.read_bytes() for f in (tmp_path / "b").iterdir()
    }
