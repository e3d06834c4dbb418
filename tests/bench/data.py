"""What the benchmark runs on: a data set in the shape of ml-20m or a flat one, and a delta of each."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ingest.sources.sample.day import as_of
from ingest.sources.sample.generate import generate

# How often each half star is given, from 0.5 on, in the releases up to ml-32m, in thousandths.
STARS = (13, 30, 16, 72, 48, 207, 124, 280, 80, 130)
FLAT_SINCE, FLAT_UNTIL = datetime(2003, 6, 1, tzinfo=UTC), datetime(2023, 6, 1, tzinfo=UTC)


def full(folder: Path, ratings: int, flat: bool) -> datetime:
    """Writes a whole data set of so many ratings; returns the instant that it speaks for."""
    if not flat:
        generate(folder, ratings=ratings)
        return as_of(1)
    _flat(folder, ratings)
    return FLAT_UNTIL


def _flat(folder: Path, ratings: int) -> None:
    """Users and movies are drawn evenly, times over twenty years, and genome scores have exponents.

    Nearly every rating has a month of its user to itself, and hardly anything compresses: the worst case of a release.
    """
    folder.mkdir(parents=True)
    users, movies = max(100, ratings // 144), max(100, ratings // 733)
    first, last = int(FLAT_SINCE.timestamp()), int(FLAT_UNTIL.timestamp())
    scale = [star / 2 for star, share in enumerate(STARS, 1) for _ in range(share)]
    with duckdb.connect() as made:
        made.execute("select setseed(0.5)")
        made.execute("set threads = 1")  # random numbers are dealt in an order that depends on it

        def write(file: str, select: str) -> None:
            made.execute(f"copy ({select}) to '{folder / file}' (header, delimiter ',')")

        write(
            "ratings.csv",
            f"""select userId, movieId, {scale}[1 + floor(random() * {len(scale)})::int] as rating,
            {first} + floor(random() * {last - first})::bigint as timestamp
            from (select distinct 1 + floor(random() * {users})::int as userId,
            1 + floor(random() * {movies})::int as movieId from range({ratings})) order by 1, 2""",
        )
        write(
            "movies.csv",
            f"""select range + 1 as movieId, format('Film {{}} ({{}})', range + 1, 1930 + range % 70) as title,
            ['Drama', 'Comedy|Drama', 'Action', 'Horror|Thriller'][1 + range % 4] as genres from range({movies})""",
        )
        write(
            "links.csv",
            f"select range + 1 as movieId, 1000000 + range as imdbId, 1 + range as tmdbId from range({movies})",
        )
        write(
            "tags.csv",
            f"""select 1 + floor(random() * {users})::int as userId, 1 + floor(random() * {movies})::int as movieId,
            format('word {{}} {{}}', range % 5000, 1 + floor(random() * 9)::int) as tag,
            {first} + floor(random() * {last - first})::bigint as timestamp from range({ratings // 43}) order by 1, 2""",
        )
        write("genome-tags.csv", "select range + 1 as tagId, format('tag {}', range + 1) as tag from range(1128)")
        write(
            "genome-scores.csv",
            f"""select m.range + 1 as movieId, t.range + 1 as tagId, random() / (case when t.range % 10 = 0 then 10000 else 2 end) as relevance
            from range({movies * 2 // 5}) as m, range(1128) as t order by 1, 2""",
        )


def delta(source: Path, folder: Path, ratings: int) -> None:
    """Writes a delta: every n-th rating of a data set, given again a day later with the stars of another."""
    folder.mkdir(parents=True)
    with open(source / "ratings.csv", encoding="utf-8") as lines:
        total = sum(1 for _ in lines) - 1
    step = max(1, total // ratings)
    with (
        open(source / "ratings.csv", encoding="utf-8") as lines,
        open(folder / "ratings.csv", "w", encoding="utf-8", newline="\n") as revised,
    ):
        revised.write(next(lines))
        other = "4.0"
        for number, line in enumerate(lines):
            if number % step == 0:
                user, movie, stars, timestamp = line.rstrip("\n").split(",")
                revised.write(f"{user},{movie},{other},{int(timestamp) + 86_400}\n")
                other = stars
