"""Facts of tags and of the genome: against history and staging."""

from __future__ import annotations

from expectations.measure import NONE, Measure, Suite, value, worst
from expectations.suites.facts import WHY_SAMPLE

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
                order by _batch desc nulls last, _part desc nulls last, _row desc nulls last
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
SUITES = (
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
                why=WHY_SAMPLE,
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
