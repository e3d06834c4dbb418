from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import stat
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.errors import SourceError
from ingest.schema import TABLES
from ingest.sources.archive import open_source
from ingest.sources.names import recognise

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
            zipfile.ZipInfo("a/README.txt", (2018, 9, 26, 15, 50, 12)): b"newer, though none of the six",
            "__MACOSX/a/movies.csv": b"junk, and of today",
            "a/.cache/movies.csv": b"junk",
        },
    )
    with open_source(path) as source:
        assert source.tables == ("movies", "ratings")
        assert source.as_of == datetime(2018, 9, 26, 15, 50, 12, tzinfo=UTC)
        assert source.total_bytes == len(RATINGS) + len(MOVIES)
        assert source.name == "ml.zip"
        assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert source.open("ratings").read() == RATINGS


def test_a_zip_whose_members_begin_with_a_dot_and_slash_is_read(tmp_path):
    path = zipped(
        tmp_path / "a.zip", {"./a/movies.csv": b"movies", "./a/ratings.csv": b"ratings", "./.git/tags.csv": b""}
    )
    with open_source(path) as source:
        assert set(source.tables) == {"movies", "ratings"}


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


FILES = {table.file: table.name for table in TABLES.values()}
MEMBER = b"userId,movieId,rating,timestamp\n" + b"".join(b"%d,2,3.5,964982703\n" % user for user in range(1, 2000))
PACKED = {".gz": gzip.compress(MEMBER), ".zst": zstandard.compress(MEMBER)}


@st.composite
def meant_names(draw: st.DrawFn) -> tuple[str, str]:
    """A table, and a name that can only mean it."""
    file = draw(st.sampled_from(sorted(FILES)))
    case = draw(st.sampled_from([str, str.upper, str.title, str.swapcase]))
    folders = draw(st.lists(st.sampled_from(["ml-20m", "Data Sets", "ümläut", "a.b"]), max_size=3))
    separator = draw(st.sampled_from(["/", "\\"]))
    return FILES[file], separator.join([*folders, case(file + draw(st.sampled_from(["", ".gz", ".zst"])))])


@given(st.lists(meant_names(), min_size=1, unique_by=lambda pair: pair[0]))
def test_case_slashes_depth_and_compression_do_not_hide_a_table(meant: list[tuple[str, str]]) -> None:
    found = recognise("x", [name for _, name in meant])
    assert found.members == dict(meant)
    assert found.warnings == ()


NEAR = {
    "underscore": lambda file: file.replace(".csv", "_2.csv"),
    "copy": lambda file: file.replace(".csv", " (1).csv"),
    "prefix": lambda file: f"my_{file}",
    "words around it": lambda file: f"Copy of {file.removesuffix('.csv')} 2019 final version.csv",
    "typing error": lambda file: file[1] + file[0] + file[2:] if len(file) > 9 else f"{file[:-4]}x.csv",
    "other ending": lambda file: file.replace(".csv", ".txt"),
    "no ending": lambda file: file.removesuffix(".csv"),
    "spreadsheet": lambda file: file.replace(".csv", ".xlsx"),
    "parquet": lambda file: file.replace(".csv", ".parquet"),
    "zip in zip": lambda file: f"{file}.zip",
    "tar": lambda file: file.replace(".csv", ".tar.gz"),
    "other compression": lambda file: f"{file}.bz2",
    "backup": lambda file: f"{file}.bak",
    "half a download": lambda file: f"{file}.crdownload",
    "Spark": lambda file: f"{file}/part-00000-a1b2-c000.csv",
    "Spark, packed": lambda file: f"{file.removesuffix('.csv')}/part-00000-a1b2-c000.csv.gz",
    "one a year": lambda file: f"{file.removesuffix('.csv')}/2019.csv",
    "blank": lambda file: f"{file} ",
}


@pytest.mark.parametrize("kind", NEAR)
@pytest.mark.parametrize("file", FILES)
def test_a_near_miss_of_a_table_that_is_absent_is_refused_by_name(kind: str, file: str) -> None:
    name = NEAR[kind](file)
    others = [other for other in FILES if other != file]
    with pytest.raises(SourceError) as caught:
        recognise("x", [*others, name])
    assert name in str(caught.value)
    assert file in str(caught.value)
    assert "nothing was landed" in str(caught.value)


@pytest.mark.parametrize("kind", NEAR)
def test_a_near_miss_of_a_table_that_is_there_is_left_out_and_said(kind: str) -> None:
    name = NEAR[kind]("ratings.csv")
    found = recognise("x", [*FILES, name])
    assert list(found.members.values()) == list(FILES)
    [warning] = found.warnings
    assert f"{name} was left out" in warning


@pytest.mark.parametrize(
    "name", ["u.data.txt", "u.data.csv", "U.DATA.bak", "u (1).data", "u copy.data", "u_data.csv", "u.data.zip"]
)
def test_a_near_miss_of_ml_100k_is_refused_by_name(name: str) -> None:
    with pytest.raises(SourceError, match=rf"{re.escape(name)} is .*u\.data\n"):
        recognise("x", ["ml-100k/u.item", "ml-100k/u.user", f"ml-100k/{name}"])


@pytest.mark.parametrize("name", ["ratings.dat.txt", "ratings (1).dat", "ratings.dat.bak"])
def test_a_near_miss_of_ml_1m_is_refused_by_the_name_of_its_own_file(name: str) -> None:
    with pytest.raises(SourceError, match=rf"{re.escape(name)} is not called ratings\.dat"):
        recognise("x", ["movies.dat", name])


@pytest.mark.parametrize(
    ("names", "tables"),
    [
        (
            "README allbut.pl mku.sh u.data u.genre u.info u.item u.occupation u.user u1.base u1.test ua.base ub.test "
            ".DS_Store ~$u.data",
            ["movies", "ratings", "users"],
        ),
        ("README movies.dat ratings.dat users.dat", ["movies", "ratings", "users"]),
        ("README.html allbut.pl movies.dat ratings.dat split_ratings.sh tags.dat", ["movies", "ratings", "tags"]),
    ],
    ids=["ml-100k", "ml-1m", "ml-10m"],
)
def test_the_other_files_of_an_older_release_are_passed_over(names: str, tables: list[str]) -> None:
    found = recognise("x", [f"release/{name}" for name in names.split()])
    assert (list(found.members), found.warnings) == (tables, ())


@pytest.mark.parametrize(
    "name",
    [
        "README.txt",
        "README",
        "checksums.txt",
        "ratings.csv.md5",
        "tags.py",
        "movies/README.md",
        "linkedin.csv",
        "lines.csv",
    ],
)
def test_what_is_no_table_is_passed_over(name: str) -> None:
    assert recognise("x", ["movies.csv", name]).warnings == ()


def test_an_archive_in_an_archive_is_named() -> None:
    with pytest.raises(SourceError, match=r"ml-20m\.zip is an archive.*unpack it"):
        recognise("x", ["a/ml-20m.zip", "README.txt"])
    assert "ml-20m.zip was left out" in recognise("x", ["movies.csv", "ml-20m.zip"]).warnings[0]


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"3,Three (2003),Drama\n")


@pytest.mark.parametrize(
    "change", [grown, lambda path: path.rename(path.with_name("away")), lambda path: os.utime(path, (1, 1))]
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_changes_while_it_is_read_is_refused_by_name(
    tmp_path: Path, change: Callable[[Path], object], packed: bool
) -> None:
    file = tmp_path / ("ml.zip" if packed else "movies.csv")
    if packed:
        zipped(file, {"movies.csv": MOVIES})
    else:
        file.write_bytes(MOVIES)
    with open_source(file if packed else tmp_path) as source:
        source.check_unchanged()
        change(file)
        with pytest.raises(SourceError, match=re.escape(str(file))):
            source.check_unchanged()


def test_an_archive_is_not_hashed_before_its_sha256_is_asked_for(tmp_path: Path) -> None:
    path = zipped(tmp_path / "ml.zip", {"movies.csv": MOVIES})
    with open_source(path) as source:
        assert "sha256" not in vars(source)
        assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_zip_made_on_windows_is_read_whole(tmp_path: Path) -> None:
    members = {"ml\\movies.csv": MOVIES, "ml\\ratings.csv": RATINGS, "tags.csv": b"", "ml\\": b""}
    with open_source(zipped(tmp_path / "ml.zip", members)) as source:
        assert source.tables == ("movies", "ratings", "tags")
        assert source.open("ratings").read() == RATINGS


@pytest.mark.parametrize("ending", PACKED)
@pytest.mark.parametrize("in_zip", [False, True])
def test_a_packed_file_is_read_as_what_it_holds(tmp_path: Path, ending: str, in_zip: bool) -> None:
    name, twice = f"ratings.csv{ending}", PACKED[ending] * 2  # both formats allow one stream after another
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / name).write_bytes(twice)
    path = zipped(tmp_path / "ml.zip", {name: twice}) if in_zip else tmp_path / "folder"
    with open_source(path) as source:
        assert source.files == {"ratings": name}
        assert source.open("ratings").read() == MEMBER * 2
        with source.open("ratings") as stream:
            assert b"".join(iter(lambda: stream.read(1000), b"")) == MEMBER * 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ending=st.sampled_from(sorted(PACKED)), share=st.floats(0, 1, exclude_max=True))
@example(ending=".zst", share=0.999)
def test_a_packed_file_that_is_cut_off_is_never_taken_for_whole(tmp_path: Path, ending: str, share: float) -> None:
    (tmp_path / f"ratings.csv{ending}").write_bytes(PACKED[ending][: 1 + int(share * (len(PACKED[ending]) - 1))])
    with open_source(tmp_path) as source, pytest.raises(SourceError, match="is damaged"):
        source.open("ratings").read()
    (tmp_path / f"ratings.csv{ending}").unlink()


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".zst", zstandard.compress)])
def test_a_packed_file_that_grows_without_measure_is_refused(tmp_path: Path, ending: str, pack) -> None:
    (tmp_path / f"ratings.csv{ending}").write_bytes(pack(bytes(64 << 20)))
    with open_source(tmp_path) as source, source.open("ratings") as stream, pytest.raises(SourceError, match="bomb"):
        list(iter(lambda: stream.read(1 << 20), b""))


def test_a_folder_inside_is_followed_through_a_link_and_its_files_count_once(tmp_path: Path) -> None:
    (tmp_path / "source" / "real").mkdir(parents=True)
    (tmp_path / "source" / "real" / "ratings.csv").write_bytes(RATINGS)
    (tmp_path / "source" / "real" / "round").symlink_to(tmp_path / "source")
    (tmp_path / "source" / "alias").symlink_to(tmp_path / "source" / "real")
    (tmp_path / "source" / "ratings.csv").symlink_to(tmp_path / "source" / "real" / "ratings.csv")
    (tmp_path / "source" / "movies.csv").symlink_to(tmp_path / "source" / "real" / "list")
    (tmp_path / "source" / "real" / "list").write_bytes(MOVIES)
    with open_source(tmp_path / "source") as source:
        assert source.open("ratings").read() == RATINGS
        assert source.open("movies").read() == MOVIES


@pytest.mark.parametrize("link", ["folder", "file"])
def test_a_link_out_of_the_folder_is_named_and_not_followed(tmp_path: Path, link: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "ratings.csv").write_bytes(RATINGS)
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "movies.csv").write_bytes(MOVIES)
    if link == "folder":
        (tmp_path / "source" / "more").symlink_to(tmp_path / "elsewhere")
    else:
        (tmp_path / "source" / "ratings.csv").symlink_to(tmp_path / "elsewhere" / "ratings.csv")
    assert "ratings.csv is a link to" in refusal(tmp_path / "source")


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    assert "neither a file nor a folder" in refusal(Path("/dev/zero"))
    os.mkfifo(tmp_path / "pipe")
    assert "neither a file nor a folder" in refusal(tmp_path / "pipe")
    os.mkfifo(tmp_path / "ratings.csv")
    assert "not a regular file" in refusal(tmp_path)


def test_a_folder_that_cannot_be_read_is_no_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ratings.csv").write_bytes(RATINGS)
    (tmp_path / "locked").mkdir()
    scan = os.scandir

    def denied(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", denied)
    assert "cannot read" in refusal(tmp_path)


def test_a_folder_of_all_files_of_a_machine_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.sources.archive.MAX_FILES", 2)
    for number in range(3):
        (tmp_path / f"{number}.csv").touch()
    assert "over 2 files" in refusal(tmp_path)
