"""What the contract says the warehouse holds after some batches, in plain Python and without a line of SQL."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Hashable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

from ingest.schema import TABLES
from pipeline.warehouse import Warehouse
from tests.conftest import REPO
from tests.pipeline.harness import Batch
from tests.pipeline.relations import Row

_TICK = timedelta(microseconds=1)


def normalised(tag: object) -> str:
    """A tag as a key: NFC, trimmed, inner white space (that of no width included) collapsed, lower case."""
    collapsed = re.sub(r"[\s\u200b\u2060\ufeff]+", " ", str(tag)).strip()
    return unicodedata.normalize("NFC", collapsed.lower())


def listed(genres: object) -> str | None:
    """A genre list as shipped, None where none is listed."""
    return None if genres in ("(no genres listed)", "") else str(genres)


def listed_genres(genres: str | None) -> set[str]:
    """The genres of a list, each once."""
    return {genre for genre in (genres or "").split("|") if genre}


def mean(stars: list[Decimal]) -> Decimal | None:
    """The mean with four digits, a tie upwards; None of nothing."""
    if not stars:
        return None
    return (sum(stars, Decimal(0)) / len(stars)).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def moment(seconds: object) -> datetime:
    """Seconds since 1970 as UTC without zone."""
    return datetime.fromtimestamp(int(str(seconds)), UTC).replace(tzinfo=None)


@cache
def seed(name: str) -> list[dict[str, str]]:
    """The rows of a seed of the project."""
    with Path(REPO, "transform", "seeds", f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def described(gender: str | None, age: int | None, occupation: str | None, zip_code: str | None) -> tuple[Any, ...]:
    """What the mart says of a person: gender, age band, occupation, zip code, state."""
    bands = [row for row in seed("age_bands") if age is not None and int(row["from_age"]) <= age <= int(row["to_age"])]
    names = {row["code"]: row["occupation"] for row in seed("occupations")}
    prefix = zip_code[:3] if zip_code and re.fullmatch("[0-9]{5}", zip_code) else "none"
    states = [row["state"] for row in seed("zip_prefixes") if row["from_prefix"] <= prefix <= row["to_prefix"]]
    band, state = bands[0]["age_band"] if bands else None, states[0] if states else None
    return gender, band, names.get(occupation or "", occupation), zip_code, state


class Oracle:
    """Takes batches in commit order and tells what every relation has to hold."""

    def __init__(self) -> None:
        self._content: dict[str, dict[Hashable, tuple[Any, ...]]] = {name: {} for name in TABLES}
        self._versions: dict[str, list[list[Any]]] = {name: [] for name in ("movies", "links", "tags", "users")}
        self._clock: datetime | None = None

    def take(self, batch: Batch) -> None:
        """A batch is committed."""
        as_of = batch.as_of.astimezone(UTC).replace(tzinfo=None)
        self._clock = max(as_of, self._clock + _TICK) if self._clock else as_of
        for name, rows in batch.rows.items():
            if batch.modes.get(name, "full") == "full":
                self._content[name] = {}
            for row in rows:
                self._upsert(name, row)
        self._version("movies", self._movies())
        self._version("links", self._links())
        self._version("tags", self._tags())
        self._version("users", self._users())

    def _upsert(self, name: str, row: Row) -> None:
        table, content = TABLES[name], self._content[name]
        columns = [column.name for column in table.columns]
        key = tuple(str(row[columns.index(column)]) for column in table.key)
        held = content.get(key)
        if held and columns[-1] == "timestamp" and int(str(held[-1])) > int(str(row[-1])):
            return
        content.pop(key, None)  # a tie is won by the later line: order of arrival is order in the dict
        content[key] = tuple(row)

    def _movies(self) -> dict[int, tuple[Any, ...]]:
        return {int(movie): (title, listed(genres)) for movie, title, genres in self._content["movies"].values()}

    def _links(self) -> dict[int, tuple[Any, ...]]:
        return {
            int(movie): (imdb or None, int(tmdb) if tmdb != "" else None)
            for movie, imdb, tmdb in self._content["links"].values()
        }

    def _users(self) -> dict[int, tuple[Any, ...]]:
        return {
            int(user): (gender or None, int(age) if age != "" else None, occupation or None, zip_code or None)
            for user, gender, age, occupation, zip_code in self._content["users"].values()
        }

    def _tags(self) -> dict[tuple[int, int, str], tuple[Any, ...]]:
        latest: dict[tuple[int, int, str], tuple[Any, ...]] = {}
        for user, movie, tag, timestamp in self._content["tags"].values():
            key = (int(user), int(movie), normalised(tag))
            if key[2] and (key not in latest or latest[key][0] <= moment(timestamp)):
                latest[key] = (moment(timestamp),)
        return latest

    def _version(self, name: str, current: dict[Any, tuple[Any, ...]]) -> None:
        versions = self._versions[name]
        open_ = {version[0]: version for version in versions if version[3] is None}
        for key, version in open_.items():
            if current.get(key) != version[1]:
                version[3] = self._clock
        for key, values in current.items():
            if key not in open_ or open_[key][3] is not None:
                versions.append([key, values, self._clock, None])

    def expected(self) -> dict[str, set[Row]]:
        """The rows of each relation that `OBSERVED` reads."""
        movies, links = self._movies(), self._links()
        ratings = {
            (int(user), int(movie)): (Decimal(str(rating)), moment(timestamp))
            for user, movie, rating, timestamp in self._content["ratings"].values()
        }
        tags = {key: at for key, (at,) in self._tags().items()}
        months: dict[tuple[int, Any], list[datetime]] = defaultdict(list)
        given: dict[int, list[Decimal]] = defaultdict(list)
        rated: dict[int, list[datetime]] = defaultdict(list)
        by_genre: dict[tuple[str, Any], list[Decimal]] = defaultdict(list)
        for (user, movie), (stars, at) in ratings.items():
            months[user, at.date().replace(day=1)].append(at)
            given[movie].append(stars)
            rated[movie].append(at)
            for genre in listed_genres(movies[movie][1]) if movie in movies else ():
                by_genre[genre, at.date().replace(day=1)].append(stars)
        tagged: dict[tuple[int, Any], list[datetime]] = defaultdict(list)
        for (user, _, _), at in tags.items():
            tagged[user, at.date().replace(day=1)].append(at)
        people, nobody = self._users(), (None, None, None, None)
        active: dict[int, list[datetime]] = defaultdict(list)
        for (user, _), times in [*months.items(), *tagged.items()]:
            active[user] += times
        ratings_of, tags_of = Counter(user for user, _ in ratings), Counter(user for user, *_ in tags)
        genome = {int(tag): normalised(name) for tag, name in self._content["genome_tags"].values() if normalised(name)}
        first_id: dict[str, int] = {}
        for tag in sorted(genome):
            first_id.setdefault(genome[tag], tag)
        scores = {
            (int(movie), genome[int(tag)], float(str(relevance)))
            for movie, tag, relevance in self._content["genome_scores"].values()
            if first_id.get(genome.get(int(tag), "")) == int(tag)
        }
        inferred = {movie for _, movie in ratings} | {movie for _, movie, _ in tags} | {movie for movie, *_ in scores}
        return {
            "movies": {(key, False, *values, *links.get(key, (None, None))) for key, values in movies.items()}
            | {(key, True, None, None, None, None) for key in inferred - set(movies)},
            "ratings": {(*key, *values) for key, values in ratings.items()},
            "tags": {(*key, at) for key, at in tags.items()},
            "dim_tags": {(tag, first_id.get(tag)) for tag in {key[2] for key in tags} | set(first_id)},
            "genome": scores,
            "genres": {(key, genre) for key, (_, genres) in movies.items() for genre in listed_genres(genres)},
            "activity": {
                (
                    *key,
                    len(months[key]),
                    len(tagged[key]),
                    min(months[key] + tagged[key]),
                    max(months[key] + tagged[key]),
                )
                for key in {*months, *tagged}
            },
            "users": {
                (
                    user,
                    ratings_of[user],
                    tags_of[user],
                    min(active[user], default=None),
                    max(active[user], default=None),
                    *described(*people.get(user, nobody)),
                )
                for user in {*active, *people}
            },
            "movie_ratings": {
                (
                    movie,
                    len(given[movie]),
                    mean(given[movie]),
                    min(rated[movie], default=None),
                    max(rated[movie], default=None),
                )
                for movie in {*movies, *inferred}
            },
            "genre_months": {(*key, len(stars), mean(stars)) for key, stars in by_genre.items()},
            "movie_versions": {(key, *values, *span) for key, values, *span in self._versions["movies"]},
            "link_versions": {(key, *values, *span) for key, values, *span in self._versions["links"]},
            "user_versions": {(key, *values, *span) for key, values, *span in self._versions["users"]},
            "tag_versions": {(*key, *values, *span) for key, values, *span in self._versions["tags"]},
        }


OBSERVED = {
    "movies": "select movie_id, is_inferred, source_title, genres, imdb_id, tmdb_id from marts.dim_movies",
    "ratings": "select user_id, movie_id, rating, rated_at from marts.fact_ratings",
    "tags": "select user_id, movie_id, tag, tagged_at from marts.fact_movie_tags join marts.dim_tags using (tag_id)",
    "dim_tags": "select tag, genome_tag_id from marts.dim_tags",
    "genome": "select movie_id, tag, relevance from marts.fact_genome_scores join marts.dim_tags using (tag_id)",
    "genres": "select movie_id, genre from marts.bridge_movie_genres join marts.dim_genres using (genre_id)",
    "activity": "select user_id, activity_month, rating_count, tag_count, first_activity_at, last_activity_at "
    "from marts.user_activity",
    "users": "select user_id, rating_count, tag_count, first_activity_at, last_activity_at, gender, age_band, occupation, "
    "zip_code, state from marts.dim_users",
    "movie_ratings": "select movie_id, rating_count, rating_mean, first_rated_at, last_rated_at from marts.movie_ratings",
    "genre_months": "select genre, rating_month, rating_count, rating_mean from marts.genre_ratings_by_month",
    "movie_versions": "select movie_id, source_title, genres, valid_from, valid_to from marts.dim_movies_history",
    "link_versions": "select movie_id, imdb_id, tmdb_id, valid_from, valid_to from snapshots.snap_links",
    "user_versions": "select user_id, gender, age, occupation, zip_code, valid_from, valid_to from snapshots.snap_users",
    "tag_versions": "select user_id, movie_id, tag, tagged_at, valid_from, valid_to from snapshots.snap_tags",
}


def assert_as_told(warehouse: Warehouse, oracle: Oracle, *, clock: bool = True) -> None:
    """Holds a warehouse against the oracle: the same rows, and none twice.

    Without `clock`, instants of history are not compared, only whether a version has ended.
    """
    expected = oracle.expected()
    with warehouse.cursor() as cursor:
        observed = {name: list(cursor.execute(sql).fetchall()) for name, sql in OBSERVED.items()}
    for name, found in observed.items():
        wanted = list(expected[name])
        if not clock and name.endswith("versions"):
            found, wanted = ([(*row[:-2], row[-1] is None) for row in side] for side in (found, wanted))
        one, other = Counter(found), Counter(wanted)
        assert one == other, f"{name}: missing {list(other - one)[:5]}, too many {list(one - other)[:5]}"
