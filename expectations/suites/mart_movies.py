"""Movies and genres in the marts: against the facts, and against common sense."""

from __future__ import annotations

from expectations.measure import NONE, Measure, Suite, at_most, value, worst

_MOVIES = """
    select
        (select count(*) from {marts}.dim_movies) as movies,
        (select count(*) from {marts}.dim_movies where not is_inferred) as n,
        (select count(*) from (select movie_id from {staging}.stg_movies group by movie_id) as s) as staged,
        (select count(*) from {marts}.movie_ratings) as summarised,
        (select count(*) from {marts}.movie_ratings where rating_count = 0) as never_rated,
        (select count(*) from {marts}.movie_ratings where rating_count > 0) as rated,
        (
            select count(*) from {marts}.movie_ratings
            where extract(year from first_rated_at) < release_year - 1
        ) as too_early,
        (
            select count(*) from {marts}.dim_movies as d
            inner join (select * from {staging}.stg_movies where _batch = cast('{batch}' as integer)) as s on d.movie_id = s.movie_id
            where d.source_title != s.source_title
        ) as differing
"""
_SCORES = """
    select m.movie_id, m.title, m.rating_mean, m.bayesian_score, o.mean
    from {marts}.movie_ratings as m
    cross join (
        select sum(rating_mean * rating_count) / nullif(sum(rating_count), 0) as mean from {marts}.movie_ratings
    ) as o
    where m.rating_count > 0
        and (m.bayesian_score > greatest(m.rating_mean, o.mean) + 0.001 or m.bayesian_score < least(m.rating_mean, o.mean) - 0.001)
"""
_GENRES = """
    select
        (select count(*) from {marts}.bridge_movie_genres) as bridged,
        (
            select coalesce(sum(length(genres) - length(replace(genres, '|', '')) + 1), 0) from {marts}.dim_movies
        ) as listed,
        (select coalesce(sum(movie_count), 0) from {marts}.dim_genres) as counted,
        (select coalesce(sum(rating_count), 0) from {marts}.genre_ratings_by_month) as monthly,
        (select coalesce(sum(cast(rating_mean as double) * rating_count), 0) from {marts}.genre_ratings_by_month) as monthly_stars,
        (
            select coalesce(sum(r.rating_count), 0) from {marts}.movie_ratings as r
            inner join {marts}.bridge_movie_genres as b on r.movie_id = b.movie_id
        ) as ratings,
        (
            select coalesce(sum(cast(r.rating_mean as double) * r.rating_count), 0) from {marts}.movie_ratings as r
            inner join {marts}.bridge_movie_genres as b on r.movie_id = b.movie_id
        ) as stars
"""
_UNKNOWN_GENRES = """
    select genre, movie_count, movie_count / nullif(cast((select count(*) from {marts}.dim_movies) as double), 0) as share
    from {marts}.dim_genres where sort_order = 999
"""


def difference(name: str, title: str, left: str, right: str, source: str, why: str = "") -> Measure:
    """A measure of two counts that should be the same."""
    sql = value(f"abs({left} - {right})", source)
    return Measure(name=name, title=title, sql=sql, error=NONE, accepts=False, why=why)


SUITES = (
    Suite(
        relation="marts.dim_movies",
        stage="marts",
        needs=("staging.stg_movies", "marts.movie_ratings"),
        ctes=(("counts", _MOVIES),),
        measures=(
            difference("equals_staging", "Movies more or fewer than staging has", "n", "staged", "counts"),
            Measure(
                name="newest_titles",
                title="Movies that do not have the title of the newest batch",
                sql=value("differing", "counts"),
                warn=NONE,
                why="A line that lists a movie again explains some.",
            ),
        ),
    ),
    Suite(
        relation="marts.movie_ratings",
        stage="marts",
        needs=("marts.dim_movies", "staging.stg_movies"),
        ctes=(("counts", _MOVIES), ("scores", _SCORES)),
        measures=(
            difference("all_movies", "Movies more or fewer than dim_movies has", "movies", "summarised", "counts"),
            Measure(
                name="movies_are_rated",
                title="Movies that nobody rated",
                unit="share",
                sql=value("never_rated / nullif(cast(n as double), 0)", "counts", "n", "rated >= 1000"),
                warn=at_most(0.3),
                why="0.2 % to 5 % in the releases; judged from 1,000 rated movies on.",
            ),
            Measure(
                name="rated_after_release",
                title="Movies that were rated more than a year before their release",
                unit="share",
                sql=value(
                    "too_early / nullif(cast(rated as double), 0)", "counts", "too_early", "too_early <= 0.2 * rated"
                ),
                error=at_most(0.02),
                warn=at_most(0.005),
                evidence=20,
                why="Hardly any. Are titles or timestamps shifted? (With a fifth of them, years or times are made up.)",
            ),
            Measure(
                name="scores_lie_between",
                title="Bayesian scores that are not between the movie's mean and the overall one",
                sql=worst("'movie ' || movie_id || ': ' || title", "1", "scores", "1"),
                error=NONE,
                accepts=False,
            ),
        ),
    ),
    Suite(
        relation="marts.dim_genres",
        stage="marts",
        needs=("marts.bridge_movie_genres", "marts.dim_movies", "marts.movie_ratings", "marts.genre_ratings_by_month"),
        ctes=(("counts", _GENRES), ("unknown", _UNKNOWN_GENRES)),
        measures=(
            Measure(
                name="bridge_is_complete",
                title="Genres of movies that the bridge has not, or has twice",
                unit="share",
                sql=value("abs(bridged - listed) / nullif(cast(listed as double), 0)", "counts", "listed"),
                error=at_most(0.005),
                warn=NONE,
                evidence=20,
                why="Some lists name a genre twice, which the bridge has once.",
            ),
            difference(
                "movies_are_counted",
                "Movies that dim_genres does not count, or counts twice",
                "counted",
                "bridged",
                "counts",
            ),
            difference(
                "months_count_all",
                "Ratings that genre_ratings_by_month does not count, or counts twice",
                "monthly",
                "ratings",
                "counts",
            ),
            Measure(
                name="monthly_stars_agree",
                title="Stars summed over genres and months, distance from the movies'",
                unit="share",
                sql=value("abs(monthly_stars - stars) / nullif(stars, 0)", "counts", "1", "stars > 0"),
                error=at_most(0.0001),
                accepts=False,
                why="Means have four digits.",
            ),
            Measure(
                name="genres_are_known",
                title="Movies with a genre that the seed does not know",
                unit="share",
                sql=worst("genre", "share", "unknown", "movie_count"),
                error=at_most(0.01),
                warn=NONE,
                evidence=10,
                why="19 genres since 1995: was one renamed or misspelt?",
            ),
        ),
    ),
)
