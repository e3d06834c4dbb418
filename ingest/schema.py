"""The one list of the MovieLens tables: their files, columns, types, keys and event time.

A manifest carries what is said here, so that raw tables, load and checks follow from it.

Source: the README of each GroupLens release, https://grouplens.org/datasets/movielens/.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# The name of a data set, which is also a folder of the bucket.
DATASET_NAME = r"^[a-z0-9][a-z0-9-]{0,62}$"
# `full`: the files are whole tables; `delta`: new and changed rows.
Mode = Literal["full", "delta"]
# What a value may be; `ingest.lines.rules` says it exactly.
Kind = Literal["id", "text", "rating", "relevance", "timestamp", "imdb_id", "tmdb_id", "gender", "age"]
_TYPES: dict[Kind, str] = {
    "id": "integer",
    "text": "varchar",
    "rating": "decimal(2, 1)",
    "relevance": "double",
    "timestamp": "bigint",
    "imdb_id": "varchar",
    "tmdb_id": "integer",
    "gender": "varchar",
    "age": "integer",
}


@dataclass(frozen=True)
class Column:
    """A column of a source file.

    Parameters: `source`, its name in the CSV header; `name`, its snake-case name in raw; `kind`, its domain.
    """

    source: str
    name: str
    kind: Kind

    @property
    def type(self) -> str:
        """Its SQL type in raw, under a name that both engines take."""
        return _TYPES[self.kind]


@dataclass(frozen=True)
class Table:
    """A source file and the raw table that it becomes.

    Parameters: `name`, the raw table; `file`, the CSV's name; `columns`, in the file's order;
    `key`, the raw columns that identify a row; `required`, whether a first batch must have it; `event_time`, the raw
    column by which the later of two rows wins, None where the later batch and line do.

    An event time is of kind `timestamp`, Unix seconds, and belongs in the last column: only there is ISO text converted
    when the file is landed, and a file noticed that was cut off inside its last number. Raises ValueError for another
    kind.
    """

    name: str
    file: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    required: bool = False
    event_time: str | None = None

    def __post_init__(self) -> None:
        kinds: dict[str, Kind] = {column.name: column.kind for column in self.columns}
        if self.event_time is not None and kinds.get(self.event_time) != "timestamp":
            is_what = f"of kind {kinds[self.event_time]}" if self.event_time in kinds else "not one of its columns"
            raise ValueError(
                f"table {self.name}: its event time {self.event_time} is {is_what}. Name a column of kind timestamp "
                "(Unix seconds), or none"
            )

    @property
    def header(self) -> str:
        """The CSV header, without line end."""
        return ",".join(column.source for column in self.columns)

    @property
    def has_text(self) -> bool:
        """Whether a value may be quoted free text."""
        return any(column.kind == "text" for column in self.columns)


_USER, _MOVIE = Column("userId", "user_id", "id"), Column("movieId", "movie_id", "id")
_TAG_ID, _TIMESTAMP = Column("tagId", "tag_id", "id"), Column("timestamp", "timestamp", "timestamp")

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "movies",
            "movies.csv",
            (_MOVIE, Column("title", "title", "text"), Column("genres", "genres", "text")),
            key=("movie_id",),
            required=True,
        ),
        Table(
            "ratings",
            "ratings.csv",
            (_USER, _MOVIE, Column("rating", "rating", "rating"), _TIMESTAMP),
            key=("user_id", "movie_id"),
            required=True,
            event_time="timestamp",
        ),
        Table(
            "tags",
            "tags.csv",
            (_USER, _MOVIE, Column("tag", "tag", "text"), _TIMESTAMP),
            key=("user_id", "movie_id", "tag"),
            event_time="timestamp",
        ),
        Table(
            "links",
            "links.csv",
            (_MOVIE, Column("imdbId", "imdb_id", "imdb_id"), Column("tmdbId", "tmdb_id", "tmdb_id")),
            key=("movie_id",),
        ),
        Table(
            "genome_scores",
            "genome-scores.csv",
            (_MOVIE, _TAG_ID, Column("relevance", "relevance", "relevance")),
            key=("movie_id", "tag_id"),
        ),
        Table("genome_tags", "genome-tags.csv", (_TAG_ID, Column("tag", "tag", "text")), key=("tag_id",)),
        Table(
            "users",
            "users.csv",
            (
                _USER,
                Column("gender", "gender", "gender"),
                Column("age", "age", "age"),
                Column("occupation", "occupation", "text"),
                Column("zipCode", "zip_code", "text"),
            ),
            key=("user_id",),
        ),
    )
}
