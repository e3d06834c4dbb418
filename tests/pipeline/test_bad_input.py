"""Bad input through the command line: one message with file and line, and nothing half-visible."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ingest.batches.committed import committed
from ingest.schema import TABLES, Kind
from pipeline.dbt import Dbt
from pipeline.target import only_writer
from profiles.errors import PipelineError
from tests.pipeline.generated import START
from tests.pipeline.harness import Batch, Lab, Run

MOVIES = "movieId,title,genres\n1,One (2001),Drama\n2,Two (2002),Comedy|Drama\n"
RATINGS = "userId,movieId,rating,timestamp\n1,1,4.0,1000000000\n1,2,3.5,1000000001\n"
GOOD = {"movies.csv": MOVIES, "ratings.csv": RATINGS}


def folder(root: Path, files: dict[str, str | bytes]) -> Path:
    """A folder with the given files."""
    source = root / "source"
    source.mkdir()
    for name, content in files.items():
        (source / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return source


def archive(root: Path, files: dict[str, str | bytes]) -> Path:
    """A zip with the given files."""
    path = root / "source.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return path


def truncated_zip(root: Path) -> Path:
    path = archive(root, GOOD)
    path.write_bytes(path.read_bytes()[:-40])
    return path


def encrypted_zip(root: Path) -> Path:
    path = archive(root, GOOD)
    content = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := content.find(signature, at + 1)) >= 0:
            content[at + flags] |= 1
    path.write_bytes(content)
    return path


def with_files(**changed: str | bytes | None) -> Callable[[Path], Path]:
    """A folder of good files but for some, by table; None leaves a file out."""

    def make(root: Path) -> Path:
        files: dict[str, Any] = GOOD | {f"{table}.csv": content for table, content in changed.items()}
        return folder(root, {name: content for name, content in files.items() if content is not None})

    return make


BAD: dict[str, tuple[Callable[[Path], Path], list[str]]] = {
    "a truncated zip": (truncated_zip, ["source.zip", "truncated"]),
    "a zip that leads out": (lambda root: archive(root, GOOD | {"../ratings.csv": RATINGS}), ["../ratings.csv"]),
    "a zip bomb": (lambda root: archive(root, GOOD | {"tags.csv": b"\n" * (12 << 20)}), ["tags.csv", "zip bomb"]),
    "an encrypted zip": (encrypted_zip, ["movies.csv", "encrypted"]),
    "no such file": (lambda root: root / "nowhere.zip", ["nowhere.zip", "does not exist"]),
    "an empty folder": (lambda root: folder(root, {}), ["none of movies.csv"]),
    "a missing required file": (with_files(ratings=None), ["ratings.csv", "first batch"]),
    "a truncated file": (with_files(ratings=RATINGS[:-5]), ["ratings.csv:3", "truncated"]),
    "a missing column": (with_files(movies="movieId,title\n1,One\n"), ["movies.csv:1", "missing 'genres'"]),
    "an extra column": (with_files(movies="movieId,title,genres,more\n1,One,Drama,x\n"), ["movies.csv:1", "'more'"]),
    "columns in another order": (with_files(movies="title,movieId,genres\nOne,1,Drama\n"), ["movies.csv:1", "order"]),
    "a header only": (with_files(ratings=RATINGS.splitlines()[0] + "\n"), ["ratings.csv:1", "no rows"]),
    "an empty file": (with_files(tags=""), ["tags.csv", "empty"]),
    "too many bad rows": (with_files(ratings=RATINGS + "1,3,7.0,1000000000\n"), ["ratings.csv:4", "7.0", "rejected"]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_clear_error_and_leaves_nothing(run: Run, lab: Lab, tmp_path: Path, name: str) -> None:
    make, told = BAD[name]
    dataset = lab.new_name()
    result = run("dev", dataset, "--source", make(tmp_path))
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit), result.output
    assert "error:" in result.output
    assert "Traceback" not in result.output
    assert all(fragment in result.output for fragment in told), result.output
    assert not list(lab.store.list(f"{dataset}/"))
    assert not lab.settings.warehouse.exists()


def test_an_unknown_data_set_suggests_the_nearest_name(run: Run, lab: Lab) -> None:
    result = run("dev", "ml-latest-smal")
    assert result.exit_code == 1
    assert "ml-latest-small" in result.output.replace("'ml-latest-smal'", "")
    assert not list(lab.store.list("ml-latest-smal/"))


ACTS = "".join(
    map(chr, (*range(1, 10), *range(11, 32), *range(127, 160), 0x61C, *range(0x202A, 0x202F), 0x2066, 0x2069))
)
HOSTILE: dict[str, Callable[[Path], tuple[object, ...]]] = {
    "the name of a data set": lambda root: (ACTS,),
    "the name of a file that is not there": lambda root: ("--source", root / f"{ACTS}.zip"),
    "the name of a zip": lambda root: ("--source", truncated_zip(root).rename(root / f"{ACTS}.zip")),
    "the name in a zip": lambda root: ("--source", archive(root, {f"{ACTS}.csv": "", f"../{ACTS}": ""})),
    "the name of a column": lambda root: (
        "--source",
        with_files(movies=f"movieId,title,genres,{ACTS}\n1,a,b,c\n")(root),
    ),
    "a rejected line": lambda root: ("--source", with_files(ratings=f"{RATINGS}1,1,{ACTS[:9]},1\n")(root)),
    "a point in time": lambda root: ("--source", folder(root, GOOD), "--as-of", ACTS),
}


@pytest.mark.parametrize("where", HOSTILE)
def test_no_name_and_no_line_acts_on_the_terminal(run: Run, lab: Lab, tmp_path: Path, where: str) -> None:
    arguments = HOSTILE[where](tmp_path)
    result = run("dev", *(arguments if len(arguments) == 1 else (lab.new_name(), *arguments)))
    assert result.exit_code == 1
    assert "\\x01" in result.output
    assert not set(result.output) & set(ACTS)


@pytest.mark.parametrize("options", [("--as-of", "yesterday"), ("--day", "0"), ("--max-rejected", "2")])
def test_an_option_that_makes_no_sense_is_refused(run: Run, lab: Lab, tmp_path: Path, options: tuple[str, str]) -> None:
    dataset = lab.new_name()
    result = run("dev", dataset, "--source", folder(tmp_path, GOOD), *options)
    assert result.exit_code in (1, 2)
    assert options[0] in result.output
    assert not list(lab.store.list(f"{dataset}/"))


def test_a_second_writer_is_refused_at_once(run: Run, lab: Lab, tmp_path: Path) -> None:
    dataset = lab.new_name()
    with only_writer(lab.settings, "dev", "the warehouse"):
        result = run("dev", dataset, "--source", folder(tmp_path, GOOD))
    assert result.exit_code == 1
    assert "Another run is writing" in result.output
    assert not committed(lab.store, dataset)


BAD_RATINGS = {
    4: (b"1,1,7,1000000002", "rating '7' is not a half star"),
    5: (b"1,1,abc,1000000002", "rating 'abc' is not a half star"),
    6: (b"1,1,3.25,1000000002", "rating '3.25' is not a half star"),
    7: (b"x,1,4.0,1000000002", "userId 'x' is not an integer"),
    8: (b"1,2147483648,4.0,1000000002", "movieId '2147483648' is not an integer"),
    9: (b"1,1,4.0,-1", "timestamp '-1' is not"),
    10: (b"1,1,4.0", "3 fields instead of 4"),
    11: (b"1,1,4.0\xff,1000000002", "not valid UTF-8"),
}
BAD_MOVIES = {4: (b'3,"Three (2003),Drama', "unbalanced quote"), 5: (b'4,Fo"ur (2004),Drama', "quote in field 2")}
LATER = b"1,1,2.0,999999999\n1,1,5.0,1000000005\n2,77,4.0,1000000000\n"


def test_bad_rows_are_kept_with_line_and_reason_and_the_others_are_loaded(run: Run, lab: Lab, tmp_path: Path) -> None:
    source = folder(
        tmp_path,
        {
            "movies.csv": b"\xef\xbb\xbf" + (MOVIES.encode() + lines(BAD_MOVIES)).replace(b"\n", b"\r\n"),
            "ratings.csv": RATINGS.encode() + lines(BAD_RATINGS) + LATER,
        },
    )
    result = run("dev", lab.new_name(), "--source", source, "--max-rejected", "0.9")
    assert result.exit_code == 0, result.output
    rejected = lab.rows("select file, line, reason, raw_line from raw.rejected_rows order by file, line")
    wanted = [("movies.csv", line, *bad) for line, bad in BAD_MOVIES.items()]
    wanted += [("ratings.csv", line, *bad) for line, bad in BAD_RATINGS.items()]
    assert len(rejected) == len(wanted)
    for (file, line, why, raw), (in_file, at_line, content, reason) in zip(rejected, wanted, strict=True):
        assert (file, line) == (in_file, at_line)
        assert reason in str(why)
        assert raw == content.decode(errors="backslashreplace")
    ledger = lab.rows("select table_name, rows_read, rows_loaded, rows_rejected from raw.load_ledger order by 1")
    assert ledger == [("movies", 4, 2, 2), ("ratings", 13, 5, 8)]
    ratings = lab.rows("select user_id, movie_id, rating::varchar from marts.fact_ratings order by all")
    assert ratings == [(1, 1, "5.0"), (1, 2, "3.5"), (2, 77, "4.0")]
    assert lab.rows("select source_title from marts.dim_movies order by 1") == [
        ("One (2001)",),
        ("Two (2002)",),
        (None,),
    ]
    assert "1 movies are inferred" in result.output
    assert "2 ratings are superseded" in result.output

    refused = run("dev", lab.new_name(), "--source", source, "--max-rejected", "0.9")
    assert refused.exit_code == 1
    assert "one warehouse holds one data set" in refused.output


def test_a_part_that_does_not_match_its_manifest_is_refused_by_name(lab: Lab) -> None:
    batch = Batch(START, {"movies": [(1, "One (2001)", "Drama")], "ratings": [(1, 1, "4.0", 1_000_000_000)]})
    manifest = lab.manifest(lab.new_dataset(), batch)
    ratings = manifest.tables["ratings"]
    (part,) = ratings.parts
    told = ratings.model_copy(update={"rows_read": 7, "parts": (part.model_copy(update={"rows": 7}),)})
    with pytest.raises(PipelineError, match=f"{part.key} has 1 rows, .* its manifest says 7"):
        lab.load(manifest.model_copy(update={"tables": {**manifest.tables, "ratings": told}}))
    assert lab.rows("select count(*) from raw.ratings") == [(0,)]
    assert lab.rows("select count(*) from raw.batches") == [(0,)]


def lines(bad: dict[int, tuple[bytes, str]]) -> bytes:
    """The bad lines, each ended."""
    return b"".join(line + b"\n" for line, _ in bad.values())


# The least and the greatest that a good line may hold, and what is nothing, or looks like it.
EXTREMES: dict[Kind, tuple[object, ...]] = {
    "id": (1, 2**31 - 1),
    "tmdb_id": ("", 1, 2**31 - 1),
    "imdb_id": ("", "0", "9" * 18),
    "timestamp": (0, 253_402_300_799),
    "rating": ("0.5", "5.0"),
    "relevance": ("0", "1", "1e-60"),
    "gender": ("", "F", "M"),
    "age": ("", 1, 150),
    "text": ("", " ", "\u00a0", "\u200b", '"', "|", "\\", "(1995)", "(no genres listed)", "e\u0301", "x" * 10_000),
}


def test_whatever_landing_takes_is_built_and_passes_its_tests(lab: Lab, seed: int) -> None:
    random, dataset = Random(seed), lab.new_dataset()
    rows = {
        table.name: [[random.choice(EXTREMES[column.kind]) for column in table.columns] for _ in range(40)]
        for table in TABLES.values()
    }
    rows["users"].append([7, "", "", "", ""])  # whom nothing else names
    landed = lab.land(dataset, Batch(START, rows)).manifest
    assert sum(table.rows_rejected for table in landed.tables.values()) == 0
    lab.apply(dataset, dbt=Dbt("dev"))


def test_nothing_in_quotes_is_nothing(lab: Lab, run: Run, tmp_path: Path) -> None:
    dataset, header = lab.new_name(), "userId,gender,age,occupation,zipCode"
    for day, (line, more) in enumerate((("1,M,25,,", GOOD), ('1,M,25,"",""', {})), 1):
        (tmp_path / str(day)).mkdir()
        source = folder(tmp_path / str(day), {**more, "users.csv": f"{header}\n{line}\n"})
        mode = ("--mode", "full" if more else "delta", "--as-of", f"2020-01-0{day}")
        done = run("dev", dataset, "--source", source, *mode)
        assert done.exit_code == 0, done.output
    assert lab.rows("select occupation, zip_code, count(*) from snapshots.snap_users group by all") == [(None, None, 1)]
