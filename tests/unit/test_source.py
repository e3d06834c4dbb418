from __future__ import annotations

import hashlib
import io
import os
import stat
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.errors import SourceError
from ingest.sources.archive import open_source

RATINGS = b"userId,movieId,rating,timestamp\r\n1,2,3.5,964982703\r\n"
MOVIES = b"movieId,title,genres\n1,Toy Story (1995),Comedy\n"


def zipped(path: Path, members: dict[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content, compression)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(SourceError) as caught, open_source(path):
        pass
    return str(caught.value)


def test_files_are_found_at_any_depth_of_a_zip_and_dated_by_the_newest(tmp_path):
    path = zipped(
        tmp_path / "ml.zip",
        {
            zipfile.ZipInfo("a/b/ratings.csv", (2018, 9, 26, 15, 50, 10)): RATINGS,
            zipfile.ZipInfo("a/movies.csv", (2018, 9, 26, 15, 49, 0)): MOVIES,
            zipfile.ZipInfo("a/README.txt", (2020, 1, 1, 0, 0, 0)): b"newer, but none of the six",
            "__MACOSX/a/movies.csv": b"junk",
            "a/.cache/movies.csv": b"junk",
        },
    )
    with open_source(path) as source:
        assert source.tables == ("movies", "ratings")
        assert source.as_of == datetime(2018, 9, 26, 15, 50, 10, tzinfo=UTC)
        assert source.total_bytes == len(RATINGS) + len(MOVIES)
        assert source.name == "ml.zip"
        assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert source.open("ratings").read() == RATINGS


def test_a_folder_keeps_the_fraction_of_its_newest_second(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "ratings.csv").write_bytes(b"junk")
    (tmp_path / "deep" / "er" / "ratings.csv").write_bytes(RATINGS)
    os.utime(tmp_path / "deep" / "er" / "ratings.csv", ns=(0, 1_500_000_000_250_000_000))
    with open_source(tmp_path) as source:
        assert source.tables == ("ratings",)
        assert source.as_of == datetime.fromtimestamp(1_500_000_000.25, UTC)
        assert source.sha256 is None
        assert source.open("ratings").read() == RATINGS


def test_a_path_that_does_not_exist_is_named(tmp_path):
    assert "nowhere.zip does not exist" in refusal(tmp_path / "nowhere.zip")


def test_a_folder_without_any_of_the_files_lists_what_was_looked_for(tmp_path):
    message = refusal(tmp_path)
    assert all(file in message for file in ("movies.csv", "ratings.csv", "genome-scores.csv"))


def test_a_truncated_zip_is_refused(tmp_path):
    path = zipped(tmp_path / "ml.zip", {"ratings.csv": RATINGS * 1000})
    path.write_bytes(path.read_bytes()[:-30])
    assert "truncated" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", RATINGS])
def test_a_file_that_is_no_zip_is_refused(tmp_path, content):
    (tmp_path / "ml.zip").write_bytes(content)
    assert "not a zip archive" in refusal(tmp_path / "ml.zip")


@pytest.mark.parametrize(
    "name", ["../ratings.csv", "a/../../ratings.csv", "/etc/ratings.csv", "C:/ratings.csv", "..\\x"]
)
def test_a_member_that_leads_out_of_the_archive_is_refused(tmp_path, name):
    message = refusal(zipped(tmp_path / "ml.zip", {"movies.csv": MOVIES, name: RATINGS}))
    assert "leads out of the archive" in message
    assert "nothing was unpacked" in message


def test_a_symbolic_link_in_a_zip_is_refused(tmp_path):
    link = zipfile.ZipInfo("ratings.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "symbolic link" in refusal(zipped(tmp_path / "ml.zip", {link: b"/etc/passwd"}))


def test_an_encrypted_member_is_refused(tmp_path):
    path = zipped(tmp_path / "ml.zip", {"ratings.csv": RATINGS})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert "encrypted" in refusal(path)


def test_a_zip_bomb_is_refused(tmp_path):
    assert "zip bomb" in refusal(zipped(tmp_path / "ml.zip", {"ratings.csv": RATINGS, "x.bin": bytes(20 << 20)}))


def test_a_zip_that_claims_to_unpack_to_more_than_the_limit_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("ingest.sources.archive.MAX_TOTAL", 50)
    assert "when unpacked" in refusal(zipped(tmp_path / "ml.zip", {"ratings.csv": RATINGS}))


def test_a_file_that_is_there_twice_is_refused_with_both_places(tmp_path):
    message = refusal(zipped(tmp_path / "ml.zip", {"a/ratings.csv": RATINGS, "b/ratings.csv": RATINGS}))
    assert "a/ratings.csv and b/ratings.csv" in message


def test_a_damaged_member_is_named_while_it_is_read(tmp_path):
    path = zipped(tmp_path / "ml.zip", {"ratings.csv": RATINGS}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"964982703", b"964982704"))
    with (
        open_source(path) as source,
        source.open("ratings") as stream,
        pytest.raises(SourceError, match=r"ml\.zip: ratings\.csv is damaged"),
    ):
        stream.read()


def test_an_error_of_the_reader_is_not_taken_for_one_of_the_source(tmp_path):
    (tmp_path / "ratings.csv").write_bytes(RATINGS)
    with pytest.raises(FileNotFoundError), open_source(tmp_path):
        raise FileNotFoundError("elsewhere")


def test_a_zip_without_dates_can_be_read(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("ratings.csv", (1980, 1, 1, 0, 0, 0)), RATINGS)
    content = bytearray(buffer.getvalue())
    content[content.index(b"PK\x01\x02") + 14] = 0
    content[content.index(b"PK\x01\x02") + 12 : content.index(b"PK\x01\x02") + 16] = bytes(4)
    (tmp_path / "ml.zip").write_bytes(content)
    with open_source(tmp_path / "ml.zip") as source:
        assert source.as_of == datetime(1980, 1, 1, tzinfo=UTC)
