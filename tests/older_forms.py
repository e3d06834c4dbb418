"""The sample in the forms of older releases and of copies that people have, with every oddity that is known of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from ingest.schema import TABLES
from ingest.sources.formats import GENRES, NO_GENRES

FormName = Literal["ml-100k", "ml-1m", "ml-10m", "kaggle", "pandas", "spreadsheet"]
FORMS: tuple[FormName, ...] = get_args(FormName)
OCCUPATIONS = ("administrator", "artist", "doctor", "educator", "none", "other", "programmer", "student", "writer")
ZIP_CODES = ("85711", "94043", "00231", "00000", "V3N4P", "98107-2117", "600030000", "T8H1N", "55455")
AGES = (1, 18, 25, 35, 45, 50, 56)
# Beside what the sample has: a movie that is not known, separators and quotes inside titles, a letter of ISO-8859-1.
ODD_MOVIES = (
    ("unknown", "unknown"),
    ("Face::Off :: (1997)", "Action"),
    ('Misérables, "Les" (1995)', "Drama|Musical"),
    ("7|8 (1999)", NO_GENRES),
)
Row = tuple[str, ...]


def write_as(form: FormName, source: Path, folder: Path, *, header: bool = False, line_end: str = "\n") -> None:
    """Writes the CSV files of a day of the sample in another form; `header`: with the header line of some copies.

    Ratings of ml-100k and ml-1m are whole stars. What a form does not have is left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = {name: list(_rows(source / table.file)) for name, table in TABLES.items() if (source / table.file).exists()}

    def put(file: str, lines: Iterable[str], encoding: str = "utf-8", names: str = "") -> None:
        text = "".join(f"{line}{line_end}" for line in ([names] if names and header else []) + list(lines))
        (folder / file).write_bytes(text.encode(encoding, errors="replace"))

    if form == "ml-100k":
        put("u.data", map("\t".join, _whole(rows["ratings"])), names="user_id\titem_id\trating\ttimestamp")
        put("u.item", map(_item, _movies(rows["movies"])), "iso-8859-1", "|".join(["id", "title", *"abc", *GENRES]))
        users = ("|".join((user, age, gender, work, code)) for user, gender, age, work, code in people(rows["ratings"]))
        put("u.user", users, names="user_id|age|gender|occupation|zip_code")
        put("u.genre", (f"{genre}|{number}" for number, genre in enumerate(GENRES)))
        put("u.info", [f"{len(rows['ratings'])} ratings"])
        (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    elif form in ("ml-1m", "ml-10m"):
        old = form == "ml-1m"
        put("ratings.dat", map("::".join, _whole(rows["ratings"]) if old else _short(rows["ratings"])))
        put("movies.dat", map("::".join, _movies(rows["movies"])), "iso-8859-1" if old else "utf-8")
        if old:
            coded = ((u, g, a, str(OCCUPATIONS.index(work)), code) for u, g, a, work, code in people(rows["ratings"]))
            put("users.dat", map("::".join, coded))
        else:
            put("tags.dat", map("::".join, rows["tags"]))
    else:
        for name, table in rows.items():
            _write_copy(form, name, table, folder)


def people(ratings: list[Row]) -> Iterator[tuple[str, str, str, str, str]]:
    """Id, gender, age, occupation and zip code of each user, and of one who has rated nothing."""
    users = sorted({int(row[0]) for row in ratings})
    for user in [*users, users[-1] + 1]:
        occupation, code = OCCUPATIONS[user % len(OCCUPATIONS)], ZIP_CODES[user * 7 // 2 % len(ZIP_CODES)]
        yield str(user), "FM"[user // 3 % 2], str(AGES[user % len(AGES)]), occupation, code


def _rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        yield from map(tuple, reader)


def _movies(rows: list[Row]) -> Iterator[Row]:
    last = max(int(movie) for movie, *_ in rows)
    for movie, title, genres in [*rows, *((str(last + n), *odd) for n, odd in enumerate(ODD_MOVIES, 1))]:
        known = [genre.replace("Children", "Children's") for genre in genres.split("|")]
        yield movie, title, "|".join(genre for genre in known if genre in GENRES) or NO_GENRES


def _item(movie: Row) -> str:
    number, title, genres = movie
    flags = "|".join(str(int(genre in genres.split("|"))) for genre in GENRES)
    dated = "||" if title == "unknown" else f"01-Jan-1995||http://us.imdb.com/M/title-exact?{number}"
    return f"{number}|{title}|{dated}|{flags}"


def _whole(ratings: list[Row]) -> Iterator[Row]:
    return ((user, movie, str(max(1, int(float(stars)))), at) for user, movie, stars, at in ratings)


def _short(ratings: list[Row]) -> Iterator[Row]:
    return ((user, movie, stars.removesuffix(".0"), at) for user, movie, stars, at in ratings)


def _as_number(table: str, row: Row) -> Row:
    """What pandas makes of links, where some are missing: numbers, and floating ones."""
    return (row[0], str(int(row[1])), row[2] and f"{row[2]}.0") if table == "links" else row


def _dated(row: Row) -> Row:
    return (*row[:-1], f"{datetime.fromtimestamp(int(row[-1]), UTC):%F %T}")


def _write_copy(form: FormName, name: str, rows: list[Row], folder: Path) -> None:
    table, header = TABLES[name], TABLES[name].header.split(",")
    file = table.file.replace("-", "_") if "-" in table.file else table.file.replace("s.csv", ".csv")
    with (folder / (file if form == "kaggle" else table.file)).open("w", encoding="utf-8", newline="") as text:
        if form == "kaggle":
            writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
            writer.writerows([tuple(header), *(map(_dated, rows) if table.event_time else rows)])
        elif form == "pandas":
            indexed = ((str(number), *(_as_number(name, row))) for number, row in enumerate(rows))
            csv.writer(text, lineterminator="\n").writerows([("", *header), *indexed])
        else:
            text.write("\ufeff")
            comma = [column.type in ("decimal(2, 1)", "double") for column in table.columns]
            local = (tuple(v.replace(".", ",") if c else v for v, c in zip(row, comma, strict=True)) for row in rows)
            csv.writer(text, delimiter=";", lineterminator="\r\n").writerows([tuple(header), *local])
