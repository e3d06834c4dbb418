"""The facts against staging: rows, sums and, for a sample of keys, every value."""

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
                order by s.rated_at desc nulls last, s._batch_id desc nulls last, s._file desc nulls last, s._row desc nulls last
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

_TAG_COUNTS = """
    select
        (select count(*) from {marts}.fact_movie_tags) as n,
        (
            select count(*) from {snapshots}.snap_tags as s inner join {marts}.dim_movies as m on s.movie_id = m.movie_id
            where s.valid_to is null
        ) as current_tags,
        (
            select count(*) from {snapshots}.snap_tags as s
            inner join {marts}.fact_movie_tags as f
                on s.user_id = f.user_id and s.movie_id = f.movie_id and s.tag_id = f.tag_id and s.tagged_at = f.tagged_at
            where s.valid_to is null
        ) as agreeing,
        (select coalesce(sum(tag_count), 0) from {marts}.dim_users) as by_user,
        (select coalesce(sum(tag_count), 0) from {marts}.user_activity) as by_month
"""

_SCORES = """
    select f.movie_id, count(*) as n, sum(f.relevance) as relevance, min(f.relevance) as low, max(f.relevance) as high
    from {marts}.fact_genome_scores as f group by f.movie_id
"""
_STAGED_SCORES = """
    select s.movie_id, count(*) as n, sum(s.relevance) as relevance
    from (
        select
            movie_id, genome_tag_id, relevance,
            row_number() over (
                partition by movie_id, genome_tag_id
                order by _batch_id desc nulls last, _file desc nulls last, _row desc nulls last
            ) as place
        from {staging}.stg_genome_scores
        where mod(movie_id, {step:genome_scores}) = 0
    ) as s
    inner join {marts}.dim_movies as m on s.movie_id = m.movie_id
    inner join {marts}.dim_tags as t on s.genome_tag_id = t.genome_tag_id
    where s.place = 1
    group by s.movie_id
"""
_SCORE_DIFFERENCES = """
    select coalesce(s.movie_id, f.movie_id) as movie_id, coalesce(s.n, 0) as staged, coalesce(f.n, 0) as n
    from staged as s
    full outer join (select * from scores where mod(movie_id, {step:genome_scores}) = 0) as f on s.movie_id = f.movie_id
    where s.movie_id is null or f.movie_id is null or s.n != f.n or abs(s.relevance - f.relevance) > 0.000001
"""
_MATRIX = """
    select
        (select count(*) from {marts}.dim_tags where genome_tag_id is not null) as tags,
        (select count(*) from scores) as movies
"""
_WHY_SAMPLE = "Every value is compared; of a table above 2 million rows, a sample of half a million."

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
                why=_WHY_SAMPLE,
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
    Suite(
        relation="marts.fact_movie_tags",
        stage="marts",
        needs=("snapshots.snap_tags", "marts.dim_movies", "marts.dim_users", "marts.user_activity"),
        ctes=(("counts", _TAG_COUNTS),),
        measures=(
            Measure(
                name="equals_history",
                title="Tags that the history of tags has not, or has otherwise",
                sql=value("abs(current_tags - n) + n - agreeing", "counts"),
                error=NONE,
                accepts=False,
                why="Fact and history are built from the same staging on different ways.",
            ),
            Measure(
                name="users_count_all",
                title="Tags that dim_users does not count, or counts twice",
                sql=value("abs(by_user - n)", "counts"),
                error=NONE,
                accepts=False,
            ),
            Measure(
                name="months_count_all",
                title="Tags that user_activity does not count, or counts twice",
                sql=value("abs(by_month - n)", "counts"),
                error=NONE,
                accepts=False,
            ),
        ),
    ),
    Suite(
        relation="marts.fact_genome_scores",
        stage="marts",
        when=lambda state: state.changes("genome_scores", "genome_tags", "movies"),
        needs=("staging.stg_genome_scores", "marts.dim_movies", "marts.dim_tags"),
        ctes=(
            ("scores", _SCORES),
            ("staged", _STAGED_SCORES),
            ("differences", _SCORE_DIFFERENCES),
            ("matrix", _MATRIX),
        ),
        measures=(
            Measure(
                name="equals_staging",
                title="Movies whose scores are not those of staging",
                sql=worst("'movie ' || movie_id || ': ' || n || ' scores, staged ' || staged", "1", "differences", "1"),
                error=NONE,
                accepts=False,
                why=_WHY_SAMPLE,
            ),
            Measure(
                name="matrix_is_complete",
                title="Movies of the genome without a score for each genome tag",
                unit="share",
                sql=worst(
                    "'movie ' || s.movie_id || ': ' || s.n || ' scores for ' || matrix.tags || ' tags'",
                    "c.n / nullif(cast(matrix.movies as double), 0)",
                    "scores as s cross join matrix cross join (select count(*) as n from scores cross join matrix"
                    " where scores.n != matrix.tags) as c",
                    "matrix.movies",
                    "s.n != matrix.tags",
                ),
                error=NONE,
                warn=NONE,
                evidence=20,
                why="The genome is a full matrix; judged from 20 movies on.",
            ),
            Measure(
                name="relevance_in_range",
                title="Movies with a relevance outside of 0 to 1",
                sql=worst("'movie ' || movie_id", "1", "scores", "1", "low < 0 or high > 1"),
                error=NONE,
                accepts=False,
            ),
        ),
    ),
)
