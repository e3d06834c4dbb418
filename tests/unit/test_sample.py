"""The generated data set: the same bytes everywhere, the shape of a real release, every quirk, and its later days."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import re
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ingest.errors import SourceError
from ingest.schema import TABLES
from ingest.sources.sample import generate as generator
from ingest.sources.sample.cache import cached_sample
from ingest.sources.sample.day import as_of, modes, start_of
from ingest.sources.sample.draw import Dice
from ingest.sources.sample.generate import generate
from ingest.sources.sample.world import Shape, World
from tests.sample_files import Content, read

SMALL = 2_000
PINNED = {
    1: "fd15dfa8721eef05a999bdd750d08f81b726918fb51b2a625cc64436ee83b086",
    2: "8f81f90d4b1df62877ac53ba911ee44311b940bb24a7f463d3a7d97733130687",
    7: "5b6d984fd03fc1dc32be0e38f9a8bd8122019ee105caa4a690d79ea38b313cff",
}


def digest(folder: Path) -> str:
    files = sorted(folder.iterdir())
    return hashlib.sha256(b"".join(f.name.encode() + b"\0" + f.read_bytes() for f in files)).hexdigest()


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Content:
    """The first day of the default sample."""
    folder = tmp_path_factory.mktemp("sample")
    generate(folder)
    return read(folder)


@pytest.mark.parametrize("day", PINNED)
def test_the_bytes_are_the_pinned_ones(tmp_path: Path, day: int) -> None:
    generate(tmp_path, ratings=SMALL, day=day)
    assert digest(tmp_path) == PINNED[day], "the generator changed: every cached sample and figure changes with it"


def test_another_process_generates_the_same_bytes(tmp_path: Path) -> None:
    code = f"from pathlib import Path; from {generate.__module__} import generate; "
    code += f"generate(Path({str(tmp_path)!r}), ratings={SMALL}, day=2)"
    subprocess.run([sys.executable, "-c", code], timeout=60, check=True)
    assert digest(tmp_path) == PINNED[2]


def test_another_seed_gives_another_sample_of_the_same_size(tmp_path: Path) -> None:
    for seed in (0, -1):
        generate(tmp_path / str(seed), ratings=SMALL, seed=seed)
    zero, one = (read(tmp_path / str(seed)) for seed in (0, -1))
    assert {name: len(rows) for name, rows in zero.items()} == {name: len(rows) for name, rows in one.items()}
    assert digest(tmp_path / "0") != digest(tmp_path / "-1")


def test_draws_are_splitmix64() -> None:
    key = int.from_bytes(hashlib.sha256(b"5/stream").digest()[:8], "little")

    def plain(counter: int) -> int:
        z = (counter * 0x9E3779B97F4A7C15 + key) % 2**64
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
        return z ^ z >> 31

    counters = [0, 1, 2, 12_345, 2**40 + 7]
    assert Dice(5).bits("stream", np.array(counters)).tolist() == [plain(counter) for counter in counters]


@pytest.mark.parametrize("ratings", [1_000, 1_001, 2_899, 7_777, 100_836])
def test_the_number_of_ratings_is_exact_and_no_pair_occurs_twice(tmp_path: Path, ratings: int) -> None:
    generate(tmp_path, ratings=ratings)
    pairs = [row[:2] for row in read(tmp_path)["ratings"]]
    assert len(pairs) == len(set(pairs)) == ratings


@pytest.mark.parametrize("ratings", [1_000, 1_500, 50_000, 3_000_000, 20_000_263])
@pytest.mark.parametrize("seed", [0, 1])
def test_every_user_has_twenty_ratings_or_more_at_any_size(ratings: int, seed: int) -> None:
    world = World(Shape(ratings), seed)
    assert world.counts.sum() == ratings
    assert world.counts.min() >= 20
    assert (world.counts <= world.catalogue).all()


def test_twenty_million_ratings_have_the_shape_of_ml_20m() -> None:
    shape = Shape(20_000_263)
    assert (shape.users, shape.movies, shape.tags) == (138_493, 27_278, 465_564)
    assert (shape.genome_movies, shape.genome_tags) == (10_381, 1_128)


def test_the_first_day_is_a_whole_release_of_the_promised_size(first: Content) -> None:
    assert modes(1) == dict.fromkeys(TABLES, "full")
    shape = Shape(100_000)
    assert {name: len(rows) for name, rows in first.items()} == {
        "movies": shape.movies,
        "ratings": shape.ratings,
        "tags": shape.tags,
        "links": shape.movies,
        "genome_scores": shape.genome_movies * shape.genome_tags,
        "genome_tags": shape.genome_tags,
    }


def test_files_are_written_as_the_csv_module_writes_them(tmp_path: Path) -> None:
    generate(tmp_path, ratings=SMALL)
    for name, rows in read(tmp_path).items():
        expected = io.StringIO()
        csv.writer(expected, lineterminator="\n").writerows(rows)
        written = (tmp_path / TABLES[name].file).read_bytes()
        assert written == f"{TABLES[name].header}\n{expected.getvalue()}".encode()


def test_stars_are_given_as_people_give_them(first: Content) -> None:
    stars = Counter(float(row[2]) for row in first["ratings"])
    total = stars.total()
    assert len(stars) == 10
    assert 3.3 < sum(star * count for star, count in stars.items()) / total < 3.7
    assert [star for star, _ in stars.most_common(2)] == [4.0, 3.0]
    assert 0.15 < sum(count for star, count in stars.items() if star % 1) / total < 0.35
    assert all(float(row[2]) % 1 == 0 for row in first["ratings"] if int(row[3]) < 1_000_000_000)


def test_few_movies_and_few_users_have_most_of_the_ratings(first: Content) -> None:
    for column, share in ((0, 0.35), (1, 0.40)):
        counts = sorted(Counter(row[column] for row in first["ratings"]).values(), reverse=True)
        assert sum(counts[: len(counts) // 10]) > share * len(first["ratings"])
        assert counts[0] > 10 * counts[len(counts) // 2]


def test_ratings_run_from_1995_to_the_as_of_date_in_sessions(first: Content) -> None:
    moments: dict[str, list[int]] = defaultdict(list)
    for user, _, _, timestamp in first["ratings"]:
        moments[user].append(int(timestamp))
    everything = sorted(moment for user in moments.values() for moment in user)
    assert 788_918_400 <= everything[0] < 820_454_400
    assert start_of(2) - 30 * 86_400 < everything[-1] < start_of(2)
    gaps = Counter(later - earlier for user in moments.values() for earlier, later in pairwise(sorted(user)))
    assert gaps[0] > 1_000
    assert sum(count for gap, count in gaps.items() if gap < 60) > 0.8 * len(everything)


def test_rows_are_sorted_by_user_and_movie_and_not_by_time(first: Content) -> None:
    for name in ("ratings", "tags"):
        keys = [(int(row[0]), int(row[1])) for row in first[name]]
        assert keys == sorted(keys)
    times = [int(row[3]) for row in first["ratings"][:50]]
    assert times != sorted(times)


def test_nobody_rates_a_movie_before_its_year(first: Content) -> None:
    years = {row[0]: int(m[1]) for row in first["movies"] if (m := re.search(r"\(([0-9]{4})\)$", row[1]))}
    opening = {year: as_of(1).replace(year=year).timestamp() for year in set(years.values())}
    assert all(int(row[3]) >= opening[years[row[1]]] for row in first["ratings"] if row[1] in years)


def test_relevance_is_mostly_low_reaches_far_and_is_complete(first: Content) -> None:
    assert len(first["genome_scores"]) == len({row[0] for row in first["genome_scores"]}) * len(first["genome_tags"])
    relevance = sorted(float(row[2]) for row in first["genome_scores"])
    assert 0.03 < relevance[len(relevance) // 2] < 0.1
    assert relevance[0] < 0.001 and relevance[-1] > 0.9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ratings": 10}, "10 ratings is too small: ask for 1,000 or more"),
        ({"day": 0}, "no day 0"),
    ],
)
def test_a_sample_that_cannot_be_had_is_refused(tmp_path: Path, options: dict[str, int], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        generate(tmp_path / "none", **options)  # type: ignore[arg-type]
    assert not (tmp_path / "none").exists()


def test_a_disk_that_refuses_is_named_and_leaves_no_half_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match=r"cannot write .*file"):
        cached_sample(tmp_path / "file", ratings=SMALL, day=1)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(generator.csv, "writer", full)
        with pytest.raises(SourceError, match=r"cannot write .*sample-2000-day-1.*No space left"):
            cached_sample(tmp_path, ratings=SMALL, day=1)
    assert not (tmp_path / "sample-2000-day-1").exists()
    assert len(read(cached_sample(tmp_path, ratings=SMALL, day=1))) == 6


def test_a_cached_day_is_what_was_made_and_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = cached_sample(tmp_path, ratings=SMALL, day=2)
    made = read(folder)
    with monkeypatch.context() as patch:
        patch.setattr(generator, "generate", lambda *_, **__: pytest.fail("it was made again"))
        assert cached_sample(tmp_path, ratings=SMALL, day=2) == folder
    assert read(folder) == made
    (folder / "movies.csv").unlink()
    (folder / "generator.sha256").write_text("another generator")
    assert read(cached_sample(tmp_path, ratings=SMALL, day=2)) == made
