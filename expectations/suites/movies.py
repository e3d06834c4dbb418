"""raw.movies: titles, years and genres of a batch."""

from __future__ import annotations

from expectations.measure import NONE, Measure, Suite, at_most, batch_rows, examples, value

GENRES = (
    "Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama", "Fantasy", "Film-Noir",
    "Horror", "IMAX", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western", "Children's", "unknown",
)  # fmt: skip
"""The genres of all releases; the seed `genre_names` has the same."""
NO_GENRES = "(no genres listed)"
WEIRD = (
    "contains({0}, chr(65533)) or contains({0}, 'Ã©') or contains({0}, 'Ã¨') or contains({0}, 'Ã¤') or contains({0}, 'Ã¶')"
    " or contains({0}, 'Ã¼') or contains({0}, 'Ã±') or contains({0}, 'Ã³') or contains({0}, 'â€') or {0} != translate({0}, "
    + " || ".join(f"chr({code})" for code in (*range(1, 9), *range(11, 13), *range(14, 32), 127))
    + ", '')"
)
"""SQL: text with a replacement character, UTF-8 read as Latin-1, or a control character."""


def _rest(genres: str) -> str:
    """SQL: what is left of a pipe list when all known genres are taken out; '|' when nothing is."""
    rest = f"'|' || {genres} || '|'"
    for genre in (*GENRES, NO_GENRES):
        quoted = genre.replace("'", "''")
        rest = f"replace({rest}, '|{quoted}|', '|')"
    return rest


_NEW = f"({batch_rows('movies')}) as m"
_ROW = "'movie ' || m.movie_id || ': ' || coalesce(m.title, '(no title)') || ' | ' || coalesce(m.genres, '(no genres)')"
_READ = f"""
    select
        movie_id, title, genres,
        case when try_cast(left(right(trim(title), 5), 4) as integer) between 1870 and 2099 then 0 else 1 end as no_year,
        case when trim(coalesce(genres, '{NO_GENRES}')) in ('', '{NO_GENRES}') then 1 else 0 end as no_genres,
        case when coalesce(trim(title), '') = '' then 1 else 0 end as no_title,
        case when {WEIRD.format("title")} then 1 else 0 end as weird,
        case when {_rest("genres")} != '|' then {_rest("genres")} end as unknown
    from {_NEW}
"""
_TOTAL = """
    select
        n,
        no_year / nullif(cast(n as double), 0) as no_year_share,
        no_genres / nullif(cast(n as double), 0) as no_genres_share,
        no_title, weird, unknown,
        no_title / nullif(cast(n as double), 0) as no_title_share,
        weird / nullif(cast(n as double), 0) as weird_share,
        unknown / nullif(cast(n as double), 0) as unknown_share,
        n - movies as repeated,
        (n - movies) / nullif(cast(n as double), 0) as repeated_share
    from (
        select
            count(*) as n, count(distinct movie_id) as movies, sum(no_year) as no_year,
            sum(no_genres) as no_genres, sum(no_title) as no_title, sum(weird) as weird, count(unknown) as unknown
        from readable
    ) as s
"""

SUITES = (
    Suite(
        relation="raw.movies",
        stage="raw",
        when=lambda state: state.brings("movies"),
        ctes=(("readable", _READ), ("total", _TOTAL)),
        measures=(
            Measure(
                name="titles_have_a_year",
                title="Titles that do not end in a year",
                unit="share",
                sql=value("no_year_share", "total", "n", "n >= 100"),
                error=at_most(0.5),
                warn=at_most(0.05),
                why="0.1 % to 1 % in the releases; judged from 100 movies on.",
            ),
            Measure(
                name="movies_have_genres",
                title="Movies without genres",
                unit="share",
                sql=value("no_genres_share", "total", "n", "n >= 100"),
                error=at_most(0.5),
                warn=at_most(0.12),
                why="0.3 % to 8 % in the releases; judged from 100 movies on.",
            ),
            Measure(
                name="genres_are_known",
                title="Movies with a genre that MovieLens does not have",
                unit="share",
                sql=examples(
                    f"{_ROW} || ' (unknown: ' || m.unknown || ')'",
                    "readable as m",
                    "m.unknown is not null",
                    "unknown_share",
                    "unknown",
                    "total",
                ),
                error=at_most(0.01),
                warn=NONE,
                evidence=10,
                why="19 genres since 1995: was one renamed or misspelt?",
            ),
            Measure(
                name="titles_are_there",
                title="Movies without a title",
                unit="share",
                sql=examples(_ROW, "readable as m", "m.no_title = 1", "no_title_share", "no_title", "total"),
                error=at_most(0.01),
                warn=NONE,
                evidence=10,
                why="None in any release.",
            ),
            Measure(
                name="titles_are_readable",
                title="Titles with broken or control characters",
                unit="share",
                sql=examples(_ROW, "readable as m", "m.weird = 1", "weird_share", "weird", "total"),
                error=at_most(0.001),
                warn=NONE,
                evidence=10,
                why="Was UTF-8 read as another encoding?",
            ),
            Measure(
                name="movies_are_listed_once",
                title="Lines of a whole table that list a movie again",
                unit="share",
                sql=value("repeated_share", "total", "repeated", "'{mode:movies}' = 'full'"),
                error=at_most(0.01),
                warn=NONE,
                evidence=10,
                why="A part or a file was appended twice.",
            ),
        ),
    ),
)
