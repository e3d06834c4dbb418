"""What a batch of movies or links does to those that stand in the marts."""

from __future__ import annotations

from expectations.measure import Measure, Suite, at_least, at_most, value, worst
from expectations.suites.rating_changes import KEPT

_MOVIES = """
    select
        b.movie_id, b.source_title as title_before, a.source_title as title_after,
        b.genres as genres_before, a.genres as genres_after,
        case when a.movie_id is null then 1 else 0 end as gone,
        case when a.source_title != b.source_title then 1 else 0 end as retitled,
        case when a.movie_id is not null and coalesce(a.genres, '') != coalesce(b.genres, '') then 1 else 0 end as other_genres
    from (select * from {marts}.dim_movies where not is_inferred) as b
    left join (select * from {staging}.stg_movies where _batch = cast('{batch}' as integer)) as a on b.movie_id = a.movie_id
"""
_MOVIE_TOTALS = """
    select
        count(*) as n, sum(gone) as gone, sum(retitled) as retitled, sum(other_genres) as other_genres,
        sum(gone) / nullif(cast(count(*) as double), 0) as gone_share,
        sum(retitled) / nullif(cast(count(*) as double), 0) as retitled_share,
        sum(other_genres) / nullif(cast(count(*) as double), 0) as other_genres_share
    from movies
"""
_GENRES = """
    select
        g.genre,
        sum(case when contains('|' || m.genres_before || '|', '|' || g.genre || '|') then 1 else 0 end) as before,
        sum(case when contains('|' || m.genres_after || '|', '|' || g.genre || '|') then 1 else 0 end) as after
    from movies as m
    cross join {marts}.dim_genres as g
    where '{mode:movies}' = 'full' and m.gone = 0
    group by g.genre
"""
_RETITLED = "'movie ' || m.movie_id || ': ' || m.title_before || ' → ' || m.title_after"
_REGENRED = (
    "'movie ' || m.movie_id || ': ' || coalesce(m.genres_before, 'none') || ' → ' || coalesce(m.genres_after, 'none')"
)

MOVIES = Suite(
    relation="raw.movies",
    about="against the marts",
    stage="raw",
    when=lambda state: state.brings("movies"),
    needs=("marts.dim_movies", "marts.dim_genres", "staging.stg_movies"),
    ctes=(("movies", _MOVIES), ("total", _MOVIE_TOTALS), ("genres", _GENRES)),
    measures=(
        Measure(
            name="gone",
            title="Movies of before that a whole table no longer lists",
            unit="share",
            sql=value("gone_share", "total", "n", "'{mode:movies}' = 'full'"),
            error=at_most(0.5),
            warn=at_most(0.05),
            evidence=100,
            why=KEPT,
        ),
        Measure(
            name="retitled",
            title="Movies with another title than before",
            unit="share",
            sql=worst(_RETITLED, "total.retitled_share", "movies as m cross join total", "total.n", "m.retitled = 1"),
            error=at_most(0.1),
            warn=at_most(0.02),
            evidence=100,
            why="Titles are corrected one by one. Are rows or encodings shifted?",
        ),
        Measure(
            name="other_genres",
            title="Movies with other genres than before",
            unit="share",
            sql=worst(
                _REGENRED, "total.other_genres_share", "movies as m cross join total", "total.n", "m.other_genres = 1"
            ),
            error=at_most(0.1),
            warn=at_most(0.02),
            evidence=100,
            why="Genres are corrected one by one.",
        ),
        Measure(
            name="movies_of_a_genre",
            title="Movies of a genre, as a multiple of those before",
            unit="times",
            sql=worst(
                "genre", "after / nullif(cast(before as double), 0)", "genres", "before", order="observed nulls last"
            ),
            error=at_least(0.7),
            warn=at_least(0.9),
            evidence=20,
            why="Was a genre renamed or lost?",
        ),
    ),
)

_LINKS = """
    select
        count(b.movie_id) as n,
        sum(case when a.imdb_id != b.imdb_id then 1 else 0 end) as other_imdb,
        sum(case when a.tmdb_id != b.tmdb_id then 1 else 0 end) as other_tmdb,
        sum(case when a.movie_id is null then 1 else 0 end) as gone
    from (select * from {marts}.dim_movies where imdb_id is not null or tmdb_id is not null) as b
    left join (select * from {staging}.stg_links where _batch = cast('{batch}' as integer)) as a on b.movie_id = a.movie_id
"""

LINKS = Suite(
    relation="raw.links",
    about="against the marts",
    stage="raw",
    when=lambda state: state.brings("links"),
    needs=("marts.dim_movies", "staging.stg_links"),
    ctes=(("links", _LINKS),),
    measures=(
        Measure(
            name="gone",
            title="Linked movies of before that a whole table no longer links",
            unit="share",
            sql=value("gone / nullif(cast(n as double), 0)", "links", "n", "'{mode:links}' = 'full'"),
            error=at_most(0.5),
            warn=at_most(0.05),
            evidence=100,
            why=KEPT,
        ),
        Measure(
            name="other_imdb",
            title="Movies with another IMDb id than before",
            unit="share",
            sql=value("other_imdb / nullif(cast(n as double), 0)", "links", "n"),
            error=at_most(0.1),
            warn=at_most(0.02),
            evidence=100,
            why="Ids do not change. Are rows shifted, or zeros lost?",
        ),
        Measure(
            name="other_tmdb",
            title="Movies with another TMDB id than before",
            unit="share",
            sql=value("other_tmdb / nullif(cast(n as double), 0)", "links", "n"),
            error=at_most(0.1),
            warn=at_most(0.02),
            evidence=100,
            why="Ids do not change. Are rows shifted?",
        ),
    ),
)

SUITES = (MOVIES, LINKS)
