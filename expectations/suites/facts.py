"""fact_ratings against staging: rows, sums and, for a sample of users, every value."""

from __future__ import annotations

from expectations.measure import NONE, Measure, Suite, at_most, value, worst

# What the fact should hold for a sample of users: the latest line of each key, of movies that are known.
_EXPECTED_RATINGS = """
    select user_id, movie_id, rating, rated_at
    from (
        select
            s.user_id, s.movie_id, s.rating, s.rated_at,
            row_number() over (
                partition by s.user_id, s.movie_id
                order by s.rated_at desc nulls last, s._batch desc nulls last, s._part desc nulls last, s._row desc nulls last
            ) as place
        from {staging}.stg_ratings as s
        inner join {marts}.dim_movies as m on s.movie_id = m.movie_id
        where mod(s.user_id, {step:ratings}) = 0
    ) as ranked
    where place = 1
"""
_RATING_DIFFERENCES = """
    select
        coalesce(e.user_id, f.user_id) as user_id, coalesce(e.movie_id, f.movie_id) as movie_id,
        case
            when f.user_id is null then 'missing in the fact'
            when e.user_id is null then 'not in staging'
            else 'another rating or time'
        end as what
    from expected as e
    full outer join (select * from {marts}.fact_ratings where mod(user_id, {step:ratings}) = 0) as f
        on e.user_id = f.user_id and e.movie_id = f.movie_id
    where e.user_id is null or f.user_id is null or e.rating != f.rating or e.rated_at != f.rated_at
"""
_BY_STAR = """
    select rating, count(*) as n from {marts}.fact_ratings group by rating
"""
_RATING_TOTALS = """
    select
        coalesce(sum(n), 0) as n,
        coalesce(sum(cast(rating as double) * n), 0) as stars,
        (select coalesce(sum(rating_mean * rating_count), 0) from {marts}.movie_ratings) as movie_stars,
        (select coalesce(sum(rating_mean * rating_count), 0) from {marts}.user_activity) as user_stars,
        (select coalesce(sum(rating_count), 0) from {marts}.user_activity) as user_ratings
    from by_star
"""
_DISTRIBUTION = """
    select coalesce(s.rating, d.rating) as rating, abs(coalesce(s.n, 0) - coalesce(d.rating_count, 0)) as off
    from by_star as s
    full outer join {marts}.rating_distribution as d on s.rating = d.rating
"""

WHY_SAMPLE = "Every value is compared; of a table above 2 million rows, a sample of half a million."

SUITES = (
    Suite(
        relation="marts.fact_ratings",
        stage="marts",
        needs=(
            "staging.stg_ratings",
            "marts.dim_movies",
            "marts.movie_ratings",
            "marts.user_activity",
            "marts.rating_distribution",
        ),
        ctes=(
            ("expected", _EXPECTED_RATINGS),
            ("differences", _RATING_DIFFERENCES),
            ("by_star", _BY_STAR),
            ("total", _RATING_TOTALS),
            ("distribution", _DISTRIBUTION),
        ),
        measures=(
            Measure(
                name="equals_staging",
                title="Ratings that are not the latest that staging has of their user and movie",
                sql="select 'user ' || d.user_id || ', movie ' || d.movie_id || ': ' || d.what as subject, c.n as observed, c.n as weight"
                " from differences as d cross join (select count(*) as n from differences) as c order by 1 limit 5",
                error=NONE,
                accepts=False,
                why=WHY_SAMPLE,
            ),
            Measure(
                name="distribution_agrees",
                title="Ratings that rating_distribution counts otherwise",
                sql=worst("rating", "off", "distribution", "1", "off > 0"),
                error=NONE,
                accepts=False,
            ),
            Measure(
                name="movie_sums_agree",
                title="Stars summed over movies, distance from the fact",
                unit="share",
                sql=value("abs(movie_stars - stars) / nullif(stars, 0)", "total", "n", "n > 0"),
                error=at_most(0.0001),
                accepts=False,
                why="Means have four digits.",
            ),
            Measure(
                name="user_sums_agree",
                title="Stars summed over users and months, distance from the fact",
                unit="share",
                sql=value("abs(user_stars - stars) / nullif(stars, 0)", "total", "n", "n > 0"),
                error=at_most(0.0001),
                accepts=False,
                why="Means have four digits.",
            ),
            Measure(
                name="months_count_all",
                title="Ratings that user_activity does not count, or counts twice",
                sql=value("abs(user_ratings - n)", "total"),
                error=NONE,
                accepts=False,
            ),
        ),
    ),
)
