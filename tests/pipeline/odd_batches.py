"""Batches that nobody planned for, as SQL on a second batch that repeats the first: odd but fine, and faulty.

They were not looked at when bounds were chosen, and stay here so that bounds which move are checked against them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["passes", "warns", "stops"]
FILES = ("movies", "ratings", "tags", "links", "genome_scores", "genome_tags")
NEW_USERS = """
    insert into raw.{table}
    select * replace (user_id + {times} * (select max(user_id) from raw.ratings where _batch = 1) as user_id, 2 as _batch)
    from raw.{table} where _batch = 1
"""
DEALT = """
    create temp table dealt as select user_id, row_number() over (order by hash(user_id * 7 + 3)) as other
    from (select distinct user_id from raw.ratings where _batch = 2);
    update raw.ratings set user_id = other from dealt where _batch = 2 and ratings.user_id = dealt.user_id;
    update raw.tags set user_id = other from dealt where _batch = 2 and tags.user_id = dealt.user_id
"""


@dataclass(frozen=True)
class Odd:
    """A batch: its name, what the gate says of it, and the SQL that makes it."""

    name: str
    outcome: Outcome
    sql: str


def only(*tables: str, mode: str = "delta", rows: str = "true") -> str:
    """The batch holds these tables alone, and of the first one these rows."""
    statements = [f"delete from raw.{tables[0]} where _batch = 2 and not ({rows})"]
    statements += [f"update raw.batches set mode = '{mode}' where _batch = 2"]
    for table in set(FILES) - set(tables):
        statements += [f"delete from raw.{table} where _batch = 2", *unbooked(table, 2)]
    return "; ".join(statements)


def unbooked(table: str, batch: int) -> list[str]:
    """As if a batch had never had a table."""
    return [
        f"delete from raw.batches where _batch = {batch} and table_name = '{table}'",
        f"delete from raw.load_ledger where batch_id = '{batch:06d}' and table_name = '{table}'",
    ]


def change(table: str, assignment: str, where: str = "true") -> str:
    """Some values of the batch are others."""
    return f"update raw.{table} set {assignment} where _batch = 2 and {where}"


def sized(times: float) -> str:
    """A release with some of the users, or with as many new ones again."""
    if times < 1:
        gone = f"user_id > {times} * (select max(user_id) from raw.ratings where _batch = 1)"
        return "; ".join(f"delete from raw.{table} where _batch = 2 and {gone}" for table in ("ratings", "tags"))
    new = [(table, more) for table in ("ratings", "tags") for more in range(1, int(times))]
    return ";".join(NEW_USERS.format(table=table, times=more) for table, more in new)


def slipped(table: str, column: str) -> str:
    """Each line has the value of the line after it."""
    return (
        f"create temp table moved as select _row as line, lead({column}) over (order by _row) as other from raw.{table}"
        f" where _batch = 2; update raw.{table} set {column} = coalesce(other, {column}) from moved"
        f" where _batch = 2 and _row = line"
    )


GENOME_IS_NEW = "; ".join(
    statement
    for table in ("genome_scores", "genome_tags")
    for statement in (f"delete from raw.{table} where _batch = 1", *unbooked(table, 1))
)

# Twenty-five years become seven, and stars whole.
WHOLE_STARS = """
    update raw.ratings set rating = ceil(rating), timestamp = 788918400 + (timestamp - 788918400) * 3 // 10;
    update raw.tags set timestamp = 788918400 + (timestamp - 788918400) * 3 // 10;
    update raw.batches set as_of = as_of - interval 17 year, effective_at = effective_at - interval 17 year
"""
HEAVIEST = "user_id = (select user_id from raw.ratings group by 1 order by count(*) desc, 1 limit 1)"

ODD = (
    # ---------- fine
    Odd("one old rating, revised", "passes", f"{only('ratings', rows='_row = 1')}; {change('ratings', 'rating = 0.5')}"),
    Odd("a few new tags and nothing else", "passes", f"{only('tags', rows='_row <= 40')}; {change('tags', 'tag = tag || 1')}"),
    Odd("one tag", "passes", only("tags", rows="_row = 1")),
    Odd("links alone", "passes", f"{only('links', rows='_row <= 30')}; {change('links', 'tmdb_id = tmdb_id + 1')}"),
    Odd("corrected titles alone", "passes", f"{only('movies', rows='_row <= 15')}; {change('movies', 'title = title || chr(233)')}"),
    Odd("one line of each file", "passes", f"{only('ratings', 'movies', 'tags', 'links', rows='_row = 1')};"
        + "".join(f"delete from raw.{table} where _batch = 2 and _row > 1;" for table in ("movies", "tags", "links"))),
    Odd("what is known already, as a delta", "passes", only("ratings", "tags", "movies", rows="mod(_row, 3) = 0")),
    Odd("ratings of whom nobody knows yet", "passes", f"{only('ratings', rows='user_id = 1')}; {change('ratings', 'user_id = 99999')}"),
    Odd("the genome comes later, whole", "passes", f"{only('genome_scores', 'genome_tags', mode='full')}; {GENOME_IS_NEW}"),
    Odd("the genome comes later, as a delta", "passes", f"{only('genome_scores', 'genome_tags')}; {GENOME_IS_NEW}"),
    Odd("whole movies alone", "passes", only("movies", mode="full")),
    Odd("a release of whole stars", "passes", WHOLE_STARS),
    Odd("the heaviest user is forgotten", "passes", f"delete from raw.ratings where _batch = 2 and {HEAVIEST}"),
    Odd("a release twice as large", "passes", sized(2)),
    Odd("a release five times as large", "warns", sized(5)),
    *(Odd(f"other users, {times} times as many", "warns", f"{sized(times)}; {DEALT}") for times in (0.2, 0.5, 2, 5)),
    # ---------- faulty
    Odd("one rating of a stranger, as a release", "stops", f"delete from raw.ratings where _batch = 2 and _row > 1; {change('ratings', 'user_id = 99999')}"),
    Odd("a release without a rating", "stops", "delete from raw.ratings where _batch = 2"),
    Odd("ratings on a scale of ten", "stops", change("ratings", "rating = least(rating * 2, 5)")),
    Odd("ratings upside down", "stops", change("ratings", "rating = 5.5 - rating")),
    Odd("stars of the next line", "stops", slipped("ratings", "rating")),
    Odd("ratings and tags a thousand users on", "stops", f"{change('ratings', 'user_id = user_id + 1000')}; {change('tags', 'user_id = user_id + 1000')}"),
    Odd("tags a thousand users on", "stops", change("tags", "user_id = user_id + 1000")),
    Odd("tags seven users on", "warns", change("tags", "user_id = user_id + 7")),
    Odd("users and movies swapped", "warns", change("ratings", "user_id = movie_id, movie_id = user_id")),
    Odd("ratings a year late", "stops", change("ratings", "timestamp = timestamp + 31536000")),
    Odd("tags a year early", "stops", change("tags", "timestamp = timestamp - 31536000")),
    Odd("tags of the next line", "stops", slipped("tags", "tag")),
    Odd("tags in another encoding", "stops", change("tags", "tag = chr(208) || chr(191) || chr(209) || chr(8364) || tag", "mod(_row, 20) = 0")),
    Odd("titles and genres swapped", "stops", change("movies", "title = genres, genres = title")),
    Odd("genres with commas", "stops", change("movies", "genres = replace(genres, '|', ',')")),
    Odd("genome scores end early", "stops", "delete from raw.genome_scores where _batch = 2 and _row > 10000"),
    Odd("relevance upside down", "stops", change("genome_scores", "relevance = 1 - relevance")),
    Odd("IMDb and TMDB swapped", "stops", change("links", "imdb_id = cast(tmdb_id as varchar), tmdb_id = cast(imdb_id as integer)")),
    Odd("every line twice", "stops", ";".join(f"insert into raw.{table} select * from raw.{table} where _batch = 2" for table in FILES)),
    Odd("a delta in milliseconds", "stops", f"{only('ratings', rows='_row <= 200')}; {change('ratings', 'timestamp = timestamp * 1000')}"),
    Odd("a delta of the next movies", "stops", f"{only('ratings', rows='_row <= 2000')}; {change('ratings', 'movie_id = movie_id + 1')}"),
    Odd("other users, and half a star too many", "stops", f"{DEALT}; {change('ratings', 'rating = least(rating + 0.5, 5)')}"),
    Odd("other users, and half of the movies", "stops", f"{DEALT}; delete from raw.movies where _batch = 2 and mod(_row, 2) = 0"),
)  # fmt: skip
