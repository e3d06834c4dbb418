from __future__ import annotations

import csv
import errno
import hashlib
import io
import random
import tempfile
import threading
import zipfile
from pathlib import Path

import duckdb
import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.batches.work_folder import work_folder
from ingest.errors import IngestError, QuarantineError, SourceError
from ingest.lines import judge, part_files
from ingest.lines.parts import CutBatch, cut
from ingest.lines.reader import MAX_LINE
from ingest.lines.rules import reason
from ingest.manifest import Part
from ingest.schema import TABLES
from ingest.sources.archive import OpenSource, open_source

RATINGS = "userId,movieId,rating,timestamp\n"
MOVIES = "movieId,title,genres\n"
REAL = Path(__file__).resolve().parents[3] / "shared" / "data"


def cut_files(folder: Path, files: dict[str, str | bytes], **options) -> CutBatch:
    source = folder / "source"
    source.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (source / name).write_bytes(content.encode() if isinstance(content, str) else content)
    with open_source(source) as opened:
        return cut_whole(opened, folder / "work", **options)


def cut_whole(source: OpenSource, work: Path, **options) -> CutBatch:
    return cut(source, work, "test/000001", dict.fromkeys(source.tables, "full"), **options)


def text_of(batch: CutBatch, part: Part) -> bytes:
    stored = (batch.work / part.key).read_bytes()
    assert (len(stored), hashlib.sha256(stored).hexdigest()) == (part.bytes, part.sha256)
    return zstandard.ZstdDecompressor().decompressobj().decompress(stored)


def loaded(batch: CutBatch, table: str) -> bytes:
    header = f"{TABLES[table].header}\n".encode()
    texts = [text_of(batch, part) for part in batch.tables[table].parts]
    assert all(text.startswith(header) for text in texts)
    assert [text.count(b"\n") - 1 for text in texts] == [part.rows for part in batch.tables[table].parts]
    return b"".join(text.removeprefix(header) for text in texts)


def rejects(batch: CutBatch) -> list[dict[str, str]]:
    text = "".join(text_of(batch, part).decode() for part in batch.rejected)
    return list(csv.DictReader(io.StringIO(text, newline="")))


def many_ratings(rows: int, seed: int = 7) -> list[str]:
    deal = random.Random(seed)
    return [
        f"{1 + row // 90},{deal.randint(1, 99_999)},{deal.randint(1, 10) / 2},{deal.randint(10**9, 2**31)}"
        for row in range(rows)
    ]


def test_good_lines_are_loaded_byte_for_byte(tmp_path):
    movies = '1,"One, ""Two"" \\ (1995)",A|B\n2, Blanks \u00a0,\n3,,(no genres listed)\n'
    batch = cut_files(tmp_path, {"movies.csv": MOVIES + movies, "ratings.csv": RATINGS + "1,1,04.0,0\n"})
    assert loaded(batch, "movies") == movies.encode()
    assert loaded(batch, "ratings") == b"1,1,04.0,0\n"
    assert (batch.rejected, batch.warnings) == ((), ())


def test_line_ends_and_a_byte_order_mark_change_neither_parts_nor_digest(tmp_path):
    lines = "\n".join([RATINGS.strip(), *many_ratings(60_000)]) + "\n"
    options = {"part_bytes": 150_000, "block_bytes": 100_000}
    plain = cut_files(tmp_path / "lf", {"ratings.csv": lines}, **options).tables["ratings"]
    crlf = lines.replace("\n", "\r\n").encode()
    other = cut_files(tmp_path / "crlf", {"ratings.csv": b"\xef\xbb\xbf" + crlf}, **options).tables["ratings"]
    assert len(plain.parts) > 1
    assert [(p.sha256, p.rows, p.first_line) for p in plain.parts] == [
        (p.sha256, p.rows, p.first_line) for p in other.parts
    ]
    assert plain.source_sha256 == other.source_sha256 == hashlib.sha256(lines.encode()).hexdigest()


def test_parts_are_cut_at_rows_and_know_their_first_line(tmp_path):
    rows = many_ratings(60_000)
    batch = cut_files(
        tmp_path, {"ratings.csv": RATINGS + "\n".join(rows) + "\n"}, part_bytes=150_000, block_bytes=100_000
    )
    parts = batch.tables["ratings"].parts
    assert [part.key for part in parts] == [
        f"test/000001/ratings/part-{number:05d}.csv.zst" for number in range(len(parts))
    ]
    assert all(150_000 <= part.bytes < 300_000 for part in parts[:-1])
    for part in parts:
        assert text_of(batch, part).decode().splitlines()[1] == rows[part.first_line - 2]
    assert loaded(batch, "ratings").decode().splitlines() == rows


def test_bad_lines_are_set_aside_with_their_line_and_the_rest_is_loaded(tmp_path):
    rows = many_ratings(60_000)
    bad = {0: "1,2,7,3", 1: '1,"2,3.5,4', 29_999: "1,2,3.5", 30_000: "x", 59_999: "1,2,3.25,9"}
    for row, line in bad.items():
        rows[row] = line
    batch = cut_files(
        tmp_path, {"ratings.csv": RATINGS + "\n".join(rows) + "\n"}, part_bytes=150_000, block_bytes=100_000
    )
    table = batch.tables["ratings"]
    assert (table.rows_read, table.rows_rejected) == (60_000, 5)
    assert loaded(batch, "ratings").decode().splitlines() == [r for n, r in enumerate(rows) if n not in bad]
    assert table.parts[0].first_line == 4
    assert [(int(r["line"]) - 2, r["raw_line"]) for r in rejects(batch)] == list(bad.items())
    assert batch.warnings[0] == "ratings.csv: 5 of 60,000 rows rejected"
    assert "ratings.csv:2: rating '7' is not a half star" in batch.warnings[1]


def test_a_line_that_is_not_plain_is_judged_by_its_pattern_and_loaded(tmp_path, monkeypatch):
    plain: list[bool] = []
    is_plain = judge.is_plain
    monkeypatch.setattr(judge, "is_plain", lambda *these: (plain.append(is_plain(*these)), plain[-1])[1])
    rows = many_ratings(60_000)
    rows[30_000] = "007,1,4,0"
    batch = cut_files(
        tmp_path, {"ratings.csv": RATINGS + "\n".join(rows) + "\n"}, part_bytes=150_000, block_bytes=100_000
    )
    assert plain.count(False) == 1
    assert len(plain) > 2
    assert loaded(batch, "ratings").decode().splitlines() == rows


def test_blank_lines_are_no_rows_but_count_as_lines(tmp_path):
    content = RATINGS + "\r\n1,1,4.0,1\r\n\r\n\n1,2,9,2\n\n1,3,4.0,3\n\n"
    batch = cut_files(tmp_path, {"ratings.csv": content}, max_rejected=1)
    assert batch.tables["ratings"].rows_read == 3
    assert [part.first_line for part in batch.tables["ratings"].parts] == [3]
    assert [record["line"] for record in rejects(batch)] == ["6"]


@pytest.mark.parametrize("line", [b"1,caf\xe9,x", b"1,a\0b,x", b"1,a\rb,x", b"\x01x,y,z", b"\xed\xa0\x80"])
def test_a_line_that_no_engine_can_read_costs_only_itself(tmp_path, line):
    batch = cut_files(
        tmp_path, {"movies.csv": MOVIES.encode() + b"1,a,b\n" + line + b"\n3,\xc3\xa9,d\n"}, max_rejected=0.5
    )
    assert loaded(batch, "movies") == "1,a,b\n3,é,d\n".encode()
    assert [(record["line"], record["file"]) for record in rejects(batch)] == [("3", "movies.csv")]


def test_control_characters_that_the_engines_read_are_kept(tmp_path):
    line = "1,a\x01b\x02\x0b\x0c\x1a\x1f\x7f\u0085\u2028\ufeff,x\n"
    assert loaded(cut_files(tmp_path, {"movies.csv": MOVIES + line}), "movies") == line.encode()


def test_parts_without_a_good_row_are_dropped_and_the_others_renumbered(tmp_path):
    rows = many_ratings(60_000)
    rows[:30_000] = ["bad"] * 30_000
    batch = cut_files(
        tmp_path,
        {"ratings.csv": RATINGS + "\n".join(rows) + "\n"},
        part_bytes=1,
        block_bytes=300_000,
        max_rejected=1,
    )
    parts = batch.tables["ratings"].parts
    assert [part.key for part in parts] == [
        f"test/000001/ratings/part-{number:05d}.csv.zst" for number in range(len(parts))
    ]
    assert loaded(batch, "ratings").decode().splitlines() == rows[30_000:]
    assert parts[0].first_line == 30_002
    assert sum(part.rows for part in batch.rejected) == batch.tables["ratings"].rows_rejected == 30_000


def test_too_many_rejected_rows_stop_everything_and_leave_a_report(tmp_path):
    content = RATINGS + "1,1,4.0,1\n" * 98 + "1,1,7,1\nx\n"
    with pytest.raises(QuarantineError) as caught:
        cut_files(tmp_path, {"ratings.csv": content}, max_rejected=0.01, report_dir=tmp_path / "reports")
    report = tmp_path / "reports" / "ratings-rejected.csv"
    assert "2 of 100 rows (2.00%)" in str(caught.value)
    assert "ratings.csv:100: rating '7' is not a half star" in str(caught.value)
    assert str(report) in str(caught.value)
    rows = list(csv.DictReader(report.open(newline="")))
    assert [(row["line"], row["raw_line"]) for row in rows] == [("100", "1,1,7,1"), ("101", "x")]


def test_no_rejected_line_is_a_formula_or_an_escape_sequence_in_the_report_for_people(tmp_path):
    bad = [f"{first}cmd|' /C calc'!A0\x1b[2J" for first in "=+-@"]
    with pytest.raises(QuarantineError):
        cut_files(tmp_path, {"ratings.csv": RATINGS + "\n".join(bad) + "\n"}, report_dir=tmp_path / "reports")
    rows = list(csv.DictReader((tmp_path / "reports" / "ratings-rejected.csv").open(newline="")))
    assert [row["raw_line"] for row in rows] == [f"'{line}".replace("\x1b", "\\x1b") for line in bad]


def test_exactly_the_allowed_share_may_be_rejected(tmp_path):
    content = RATINGS + "1,1,4.0,1\n" * 99 + "x\n"
    assert cut_files(tmp_path, {"ratings.csv": content}, max_rejected=0.01).tables["ratings"].rows_rejected == 1


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ("userId,movieId,timestamp", "missing 'rating'"),
        ("userId,movieId,rating,timestamp,note", "not expected 'note'"),
        ("userId,rating,movieId,timestamp", "the columns are in another order"),
        ("userId,movieId,movieId,rating,timestamp", "more than once 'movieId'"),
        ("1,2,3.5,964982703", "missing 'userId'"),
        ("", "missing 'userId'"),
        ('"userId,movieId,rating,timestamp', "missing 'userId'"),
        ("userId,movieId,rating,timestamp\r1,2,3.5,4\r1,3,4.0,5", "missing 'timestamp'"),
        ("\x00\xff" * 100_000, "missing 'userId'"),
    ],
)
def test_a_header_that_does_not_fit_is_refused_with_both_headers(tmp_path, header, complaint):
    with pytest.raises(SourceError) as caught:
        cut_files(tmp_path, {"ratings.csv": f"{header}\n1,2,3.5,4\n"})
    assert str(caught.value).startswith("ratings.csv:1: ")
    assert complaint in str(caught.value)
    assert f"expected: {RATINGS.strip()}" in str(caught.value)


def test_a_quoted_header_fits(tmp_path):
    content = '"userId","movieId","rating","timestamp"\n1,2,3.5,4\n'
    assert loaded(cut_files(tmp_path, {"ratings.csv": content}), "ratings") == b"1,2,3.5,4\n"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "ratings.csv: the file is empty"),
        (RATINGS, "ratings.csv:1: a header and no rows"),
        (RATINGS.strip(), "ratings.csv:1: a header and no rows"),
        (RATINGS + "\n\r\n", "ratings.csv:1: a header and no rows"),
        (RATINGS + "1,2,3.5,964982703\n1,3,4.0", "ratings.csv:3: the file looks truncated"),
        (RATINGS + "1,2,3.5,964982703\n1,3,4.0,96498", "ratings.csv:3: the file looks truncated"),
        (RATINGS + "1,2,3.5,4\n" + "1" * (MAX_LINE + 1) + "\n", "ratings.csv:3: a line of more than"),
        (RATINGS + "\n" * 5000, "more blank lines than rows"),
    ],
)
def test_a_file_that_cannot_be_whole_is_refused(tmp_path, content, complaint):
    with pytest.raises(SourceError) as caught:
        cut_files(tmp_path, {"ratings.csv": content}, max_rejected=1)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("last", ["1,3,4.0,964982704", "1,3,4.0,964982704\r", "1,3,4.0,964982703"])
def test_a_whole_last_line_without_line_end_is_loaded_with_a_warning(tmp_path, last):
    batch = cut_files(tmp_path, {"ratings.csv": RATINGS + "1,2,3.5,964982703\n" + last})
    assert loaded(batch, "ratings").decode().splitlines()[-1] == last.strip()
    assert "ratings.csv:3: no line end" in batch.warnings[0]


@pytest.mark.parametrize(
    "content",
    ["user,movie,rating,timestamp\n" + "1,2,3.5,4\n" * 500, RATINGS + "1,2,3.5,4\n" * 500 + "x" * 2 * MAX_LINE, ""],
    ids=["a wrong header", "an endless line", "an empty file"],
)
def test_a_file_that_is_refused_leaves_no_thread_that_reads_it(tmp_path, content):
    others = set(threading.enumerate())
    with pytest.raises(SourceError) as kept:  # and with it the frames in which it was raised
        cut_files(tmp_path, {"ratings.csv": content}, block_bytes=100)
    assert not set(threading.enumerate()) - others, kept


def test_a_full_disk_is_an_error_without_traceback(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(part_files.PartWriter, "_put", full)
    refused = pytest.raises(IngestError, match=r"landing/mine: No space left on device.*MOVIELENS_DATA_DIR")
    with refused, work_folder(tmp_path / "landing", "mine") as work:
        cut_files(work, {"ratings.csv": RATINGS + "1,2,3.5,4\n"})


def test_paths_with_quotes_and_wildcards_are_written(tmp_path):
    assert cut_files(tmp_path / "o'dd [a-z]*? $path", {"ratings.csv": RATINGS + "1,2,3.5,4\n"}).warnings == ()


def test_every_byte_read_is_reported(tmp_path):
    counts: list[int] = []
    content = RATINGS + "\r\n".join(many_ratings(5000))
    cut_files(tmp_path, {"ratings.csv": content}, on_bytes=counts.append, block_bytes=10_000)
    assert sum(counts) == len(content)


GOOD = (b"1,Toy Story (1995),Comedy", b'2,"a ""b"", c",', "3, é\u2028,x".encode())
noise = st.one_of(
    st.binary(max_size=12),
    st.text(alphabet='019,"\r\\ \x00\x01é', max_size=12).map(str.encode),
    st.sampled_from(GOOD),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(noise, max_size=60), st.sampled_from([b"\n", b"\r\n"]), st.integers(20, 200))
@example([b"\r", b"\x01\x01", b'"', b"\xff\xfe"], b"\r\n", 20)
def test_whatever_the_bytes_every_row_is_either_loaded_or_rejected(lines, end, block_bytes):
    content = MOVIES.encode() + end.join([*lines, *GOOD, b""])
    expected = [line for line in content.replace(b"\r\n", b"\n").split(b"\n")[1:] if line]
    with tempfile.TemporaryDirectory() as folder:
        batch = cut_files(Path(folder), {"movies.csv": content}, max_rejected=1, part_bytes=1, block_bytes=block_bytes)
        table = batch.tables["movies"]
        good = loaded(batch, "movies").removesuffix(b"\n").split(b"\n")
        assert table.rows_read == len(expected) == len(good) + table.rows_rejected
        assert len(rejects(batch)) == table.rows_rejected
        assert good == [line for line in expected if _is_good(line)]
        read = duckdb.sql(f"""
            from read_csv({[str(batch.work / part.key) for part in table.parts]}, header = true,
                auto_detect = false,
                columns = {{'movieId': 'integer', 'title': 'varchar', 'genres': 'varchar'}},
                delim = ',', quote = '"', escape = '"', strict_mode = true)""").fetchall()
        wanted = [next(csv.reader([line.decode()], strict=True)) for line in good]
        assert [(str(i), title or "", genres or "") for i, title, genres in read] == [
            (str(int(i)), title, genres) for i, title, genres in wanted
        ]


@settings(max_examples=15, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet='019,."\r\n', max_size=60).map(str.encode), st.integers(20, 200))
def test_whatever_the_end_of_the_file_it_is_counted_or_refused(end, block_bytes):
    content = RATINGS.encode() + b"1,2,3.5,4\n" + end
    with tempfile.TemporaryDirectory() as folder:
        try:
            batch = cut_files(Path(folder), {"ratings.csv": content}, max_rejected=1, block_bytes=block_bytes)
        except SourceError:
            pass
        else:
            rows = sum(part.rows for part in batch.tables["ratings"].parts)
            assert batch.tables["ratings"].rows_read == rows + batch.tables["ratings"].rows_rejected


def _is_good(line: bytes) -> bool:
    try:
        return b"\0" not in line and b"\r" not in line and reason(TABLES["movies"], line.decode()) is None
    except UnicodeDecodeError:
        return False


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("ml-latest-small.zip", {"movies": 9_742, "ratings": 100_836, "tags": 3_683, "links": 9_742}),
        ("ml-latest-small-2016-10.zip", {"movies": 9_125, "ratings": 100_004, "tags": 1_296, "links": 9_125}),
    ],
)
def test_a_real_release_is_loaded_whole(tmp_path, name, rows):
    if not (REAL / name).exists():
        pytest.skip(f"no {name} in {REAL}")
    with open_source(REAL / name) as source, zipfile.ZipFile(REAL / name) as archive:
        batch = cut_whole(source, tmp_path)
        assert {name: table.rows_read for name, table in batch.tables.items()} == rows
        assert batch.warnings == ()
        for member in archive.namelist():
            if member.endswith(".csv"):
                table = next(t for t in TABLES.values() if t.file == Path(member).name)
                text = archive.read(member).replace(b"\r\n", b"\n")
                assert f"{table.header}\n".encode() + loaded(batch, table.name) == text


def test_rejected_records_have_the_agreed_header(tmp_path):
    batch = cut_files(tmp_path, {"ratings.csv": RATINGS + "1,2,3.5,4\nx\n"}, max_rejected=1)
    assert list(rejects(batch)[0]) == ["table_name", "file", "line", "reason", "raw_line"]
