"""Sequences of small batches, drawn from a seed, in a world so small that everything collides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from ingest.schema import Mode
from tests.pipeline.harness import Batch
from tests.pipeline.relations import Row

START = datetime(2015, 1, 1, tzinfo=UTC)
MOVIES, USERS, GENOME_TAGS = range(1, 8), range(1, 6), range(1, 5)
TITLES = ("Up (2009)", " Up (2009)", "Up, Up (2009)", 'The "Up" (2009)', "Éa (1999)", "No year", "")
GENRES = ("Drama", "Comedy|Drama", "Drama|Comedy", "(no genres listed)")
TAGS = ("fun", "Fun", " FUN ", "007", "e\u0301a", "\u00e9a", "in  space", "in space", "Noir", " ")
# Few instants, so that ties are common; on both sides of a month's end and of the batches' dates.
INSTANTS = (1_000_000_000, 1_001_894_399, 1_001_894_400, 1_420_070_400, 1_425_168_000)
RATINGS = ("0.5", "3.0", "3.5", "5.0")
TABLES = ("movies", "ratings", "tags", "links", "genome_scores", "genome_tags", "users")


def row(random: Random, table: str) -> Row:
    """A random row of a table."""
    movie, user = random.choice(MOVIES), random.choice(USERS)
    if table == "movies":
        return movie, random.choice(TITLES), random.choice(GENRES)
    if table == "ratings":
        return user, movie, random.choice(RATINGS), random.choice(INSTANTS)
    if table == "tags":
        return user, movie, random.choice(TAGS), random.choice(INSTANTS)
    if table == "links":
        return movie, random.choice(("0000001", "12345678", "")), random.choice(("", 7, 8))
    if table == "users":
        person = random.choice(("F", "M", "")), random.choice((1, 25, 56, "")), random.choice(("writer", "20", "0", ""))
        return (random.choice((*USERS, 9)), *person, random.choice(("10001", "V3N4P", "00000", "98107-2117", "")))
    if table == "genome_tags":
        return random.choice(GENOME_TAGS), random.choice(("noir", "Fun", "fun", "old", " "))
    return movie, random.choice(GENOME_TAGS), random.choice(("0.25", "0.5", "1"))


def deltas(random: Random, count: int) -> list[Batch]:
    """`count` batches of changes to an empty world: rows in any order, some again later, dates that may go back."""
    batches: list[Batch] = []
    seen: dict[str, list[Row]] = {table: [] for table in TABLES}
    for number in range(count):
        must = ("movies", "ratings") if number == 0 else ()
        tables = [table for table in TABLES if table in must or random.random() < 0.6] or ["ratings"]
        rows: dict[str, list[Row]] = {}
        for table in tables:
            fresh = [row(random, table) for _ in range(random.randint(1, 12))]
            again = random.sample(seen[table], min(len(seen[table]), random.randint(0, 3)))
            rows[table] = random.sample(fresh + again, len(fresh + again))
            seen[table] += fresh
        as_of = START + timedelta(days=random.randint(0, 60), seconds=random.randint(0, 1))
        batches.append(Batch(as_of, rows, {table: "full" if table in must else "delta" for table in rows}))
    return batches


def mixed(random: Random) -> list[Batch]:
    """Five batches: movies go and come back, ratings or tags are dealt anew, the genome too, and a mere delta."""
    replaced = [{"movies"}, {random.choice(("ratings", "tags"))}, {"genome_tags", random.choice(TABLES)}, set()]
    batches: list[Batch] = []
    newest = START
    for batch, full in zip(deltas(random, 5), [set(TABLES), *random.sample(replaced, 4)], strict=True):
        rows = dict(batch.rows)
        for table in full if batches else ():
            size = random.choice((0, 2, 4)) if table == "tags" else random.choice((2, 4))
            rows[table] = [row(random, table) for _ in range(size)]
        modes: dict[str, Mode] = {table: "full" if table in full else "delta" for table in rows}
        as_of = batch.as_of
        if full:  # a full table speaks for an instant after all others
            as_of = newest + random.choice((timedelta(microseconds=1), timedelta(days=3)))
        newest = max(newest, as_of)
        batches.append(Batch(as_of, rows, modes))
    return batches


def as_one(batches: list[Batch]) -> Batch:
    """All rows of some deltas as one full load, in the order in which they were committed."""
    rows: dict[str, list[Row]] = {}
    for batch in batches:
        for table, more in batch.rows.items():
            rows.setdefault(table, []).extend(more)
    return Batch(max(batch.as_of for batch in batches), rows)
