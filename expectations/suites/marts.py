"""Dimensions and summaries: against the facts, and against common sense."""

from __future__ import annotations

from expectations.measure import NONE, Measure, Suite, at_most, value, worst

_MOVIES = """
    select
        (select count(*) from {marts}.dim_movies) as n,
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
            inner join (select * from {staging}.stg_movies where _batch_id = '{batch}') as s on d.movie_id = s.movie_id
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
_USERS = """
    select
        d.user_id,
        case when d.rating_count != a.ratings or d.tag_count != a.tags then 1 else 0 end as counts_differ,
        case when d.first_activity_at != a.first_at or d.last_activity_at != a.last_at or a.user_id is null then 1 else 0 end
            as times_differ,
        case when d.rating_count + d.tag_count = 0 then 1 else 0 end as idle
    from {marts}.dim_users as d
    full outer join (
        select
            user_id, sum(rating_count) as ratings, sum(tag_count) as tags, min(first_activity_at) as first_at,
            max(last_activity_at) as last_at
        from {marts}.user_activity group by user_id
    ) as a on d.user_id = a.user_id
"""
_MONTHS = """
    select count(*) as n
    from {marts}.user_activity
    where cast(date_trunc('month', cast(first_activity_at as date)) as date) != activity_month
        or cast(date_trunc('month', cast(last_activity_at as date)) as date) != activity_month
        or last_activity_at < first_activity_at
"""
_DATES = """
    select
        count(*) as n, datediff('day', min(date_day), max(date_day)) + 1 as days,
        (select count(*) from {marts}.dim_users where cast(first_activity_at as date) < min(d.date_day)) as before_first,
        (select count(*) from {marts}.dim_users where cast(last_activity_at as date) > max(d.date_day)) as after_last
    from {marts}.dim_dates as d
"""
_TAGS = """
    select
        (select coalesce(sum(use_count), 0) from {marts}.dim_tags) as used,
        (select count(*) from {snapshots}.snap_tags where valid_to is null) as current_tags,
        (select count(genome_tag_id) from {marts}.dim_tags) as genome_tags,
        (select count(distinct tag) from {staging}.stg_genome_tags) as staged_genome_tags
"""
_MESSY = """
    select tag_id, tag from {marts}.dim_tags
    where tag != lower(tag) or tag != trim(tag) or contains(tag, '  ') or tag = ''
"""


def _difference(name: str, title: str, left: str, right: str, source: str, why: str = "") -> Measure:
    return Measure(
        name=name, title=title, sql=value(f"abs({left} - {right})", source), error=NONE, accepts=False, why=why
    )


SUITES = (
    Suite(
        relation="marts.dim_movies",
        stage="marts",
        needs=("staging.stg_movies", "marts.movie_ratings"),
        ctes=(("counts", _MOVIES),),
        measures=(
            _difference("equals_staging", "Movies more or fewer than staging has", "n", "staged", "counts"),
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
            _difference("all_movies", "Movies more or fewer than dim_movies has", "n", "summarised", "counts"),
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
            _difference(
                "bridge_is_complete",
                "Genres of movies that the bridge has not, or has twice",
                "bridged",
                "listed",
                "counts",
            ),
            _difference(
                "movies_are_counted",
                "Movies that dim_genres does not count, or counts twice",
                "counted",
                "bridged",
                "counts",
            ),
            _difference(
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
    Suite(
        relation="marts.dim_users",
        stage="marts",
        needs=("marts.user_activity",),
        ctes=(("users", _USERS), ("months", _MONTHS)),
        measures=(
            Measure(
                name="counts_agree",
                title="Users whose counts are not those of their months",
                sql=worst("'user ' || user_id", "1", "users", "1", "counts_differ = 1"),
                error=NONE,
                accepts=False,
            ),
            Measure(
                name="times_agree",
                title="Users whose first or last activity is not that of their months",
                sql=worst("'user ' || user_id", "1", "users", "1", "times_differ = 1"),
                error=NONE,
                accepts=False,
            ),
            Measure(
                name="nobody_is_idle",
                title="Users without ratings or tags",
                sql=worst("'user ' || user_id", "1", "users", "1", "idle = 1"),
                error=NONE,
                accepts=False,
            ),
            Measure(
                name="months_hold_their_days",
                title="Months of user_activity with activity of another month",
                sql=value("n", "months"),
                error=NONE,
                accepts=False,
            ),
        ),
    ),
    Suite(
        relation="marts.dim_tags",
        stage="marts",
        needs=("snapshots.snap_tags", "staging.stg_genome_tags"),
        ctes=(("counts", _TAGS), ("messy", _MESSY)),
        measures=(
            _difference(
                "uses_are_counted",
                "Uses of tags that the history of tags has not, or has twice",
                "used",
                "current_tags",
                "counts",
            ),
            _difference(
                "genome_tags_are_there",
                "Genome tags more or fewer than staging has",
                "genome_tags",
                "staged_genome_tags",
                "counts",
            ),
            Measure(
                name="tags_are_normalised",
                title="Tags with upper case, outer or doubled blanks",
                sql=worst("'tag ' || tag_id || ': ' || tag", "1", "messy", "1"),
                error=NONE,
                accepts=False,
            ),
        ),
    ),
    Suite(
        relation="marts.dim_dates",
        stage="marts",
        needs=("marts.dim_users",),
        ctes=(("dates", _DATES),),
        measures=(
            _difference(
                "no_day_is_missing", "Days that are missing between the first and the last", "n", "days", "dates"
            ),
            Measure(
                name="covers_all_activity",
                title="Users with activity before the first or after the last day",
                sql=value("before_first + after_last", "dates"),
                error=NONE,
                accepts=False,
            ),
        ),
    ),
)
