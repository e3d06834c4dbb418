"""What a batch of tags or of the genome does to those that stand in the marts."""

from __future__ import annotations

from expectations.measure import Band, Measure, Suite, at_least, at_most, batch_rows, value, worst
from expectations.suites.rating_changes import KEPT

_TAGS = f"""
    select
        (select count(*) from {{marts}}.fact_movie_tags) as before,
        (
            select avg(cast(length(d.tag) as double)) from {{marts}}.fact_movie_tags as f
            inner join {{marts}}.dim_tags as d on f.tag_id = d.tag_id
        ) as letters_before,
        count(*) as after,
        avg(cast(length(trim(t.tag)) as double)) as letters_after,
        sum(case when d.tag is not null then 1 else 0 end) as known
    from ({batch_rows("tags")}) as t
    left join {{marts}}.dim_tags as d on lower(trim(t.tag)) = d.tag
"""
_TAG_USERS = f"""
    select
        (select count(*) from {{marts}}.fact_movie_tags) as n,
        (
            select count(*) from {{marts}}.fact_movie_tags as f
            inner join (select user_id, movie_id from ({batch_rows("tags")}) as t group by user_id, movie_id) as t
                on f.user_id = t.user_id and f.movie_id = t.movie_id
        ) as kept
"""

TAGS = Suite(
    relation="raw.tags",
    about="against the marts",
    stage="raw",
    when=lambda state: state.replaces("tags"),
    needs=("marts.fact_movie_tags", "marts.dim_tags"),
    ctes=(("tags", _TAGS), ("pairs", _TAG_USERS)),
    measures=(
        Measure(
            name="volume",
            title="Tags, as a multiple of those before",
            unit="times",
            sql=value("after / nullif(cast(before as double), 0)", "tags", "before"),
            error=at_least(0.8),
            warn=Band(0.95, 3),
            evidence=100,
            why=KEPT,
        ),
        Measure(
            name="tag_length",
            title="Mean length of a tag, as a multiple of that before",
            unit="times",
            sql=value("letters_after / nullif(letters_before, 0)", "tags", "least(before, after)"),
            error=Band(0.8, 1.25),
            warn=Band(0.95, 1.05),
            evidence=100,
            why="Were tags cut, or run together?",
        ),
        Measure(
            name="known_words",
            title="Tags that were in use before",
            unit="share",
            sql=value("known / nullif(cast(after as double), 0)", "tags", "least(before, after)"),
            error=at_least(0.3),
            warn=at_least(0.7),
            evidence=100,
            why="People tag with the same words. Were tags garbled?",
        ),
        Measure(
            name="kept",
            title="Tags before whose user still tags the movie",
            unit="share",
            sql=value("kept / nullif(cast(n as double), 0)", "pairs", "n"),
            warn=at_least(0.8),
            evidence=100,
            why="Less when a release deals its user ids anew, which is no fault; or when ids are shifted.",
        ),
    ),
)

_GENOME = f"""
    select
        count(*) as n, sum(case when a.movie_id is null then 1 else 0 end) as gone,
        sum(case when a.movie_id is null then 1 else 0 end) / nullif(cast(count(*) as double), 0) as gone_share,
        avg(abs(a.relevance - b.relevance)) as distance
    from (
        select f.movie_id, avg(f.relevance) as relevance from {{marts}}.fact_genome_scores as f
        inner join {{staging}}.stg_movies as m on f.movie_id = m.movie_id
        group by f.movie_id
    ) as b
    left join (
        select movie_id, avg(relevance) as relevance from ({batch_rows("genome_scores")}) as g group by movie_id
    ) as a on b.movie_id = a.movie_id
"""
_GENOME_TAGS = """
    select b.genome_tag_id, b.tag as before, a.tag as after
    from {marts}.dim_tags as b
    left join (select * from {staging}.stg_genome_tags where _batch = cast('{batch}' as integer)) as a on b.genome_tag_id = a.genome_tag_id
    where b.genome_tag_id is not null
"""

GENOME = (
    Suite(
        relation="raw.genome_scores",
        about="against the marts",
        stage="raw",
        when=lambda state: state.replaces("genome_scores"),
        needs=("marts.fact_genome_scores", "staging.stg_movies"),
        ctes=(("genome", _GENOME),),
        measures=(
            Measure(
                name="gone",
                title="Movies of the genome before that have no score any more",
                unit="share",
                sql=value("gone_share", "genome", "gone"),
                error=at_most(0.002),
                warn=at_most(0),
                evidence=10,
                why="A genome grows. Were rows of some movies lost?",
            ),
            Measure(
                name="relevance",
                title="Mean relevance of a movie, distance from that before",
                unit="number",
                sql=value("distance", "genome", "n - gone", "n > gone"),
                error=at_most(0.05),
                warn=at_most(0.02),
                evidence=20,
                why="Scores are computed anew, but tell of the same movies.",
            ),
        ),
    ),
    Suite(
        relation="raw.genome_tags",
        about="against the marts",
        stage="raw",
        when=lambda state: state.brings("genome_tags"),
        needs=("marts.dim_tags", "staging.stg_genome_tags"),
        ctes=(
            ("tags", _GENOME_TAGS),
            (
                "total",
                "select count(*) as n, sum(case when before != after then 1 else 0 end)"
                " / nullif(cast(count(*) as double), 0) as share from tags",
            ),
        ),
        measures=(
            Measure(
                name="renamed",
                title="Genome tags with another text than before",
                unit="share",
                sql=worst(
                    "'tag ' || genome_tag_id || ': ' || before || ' → ' || after",
                    "total.share",
                    "tags cross join total",
                    "total.n",
                    "before != after",
                ),
                error=at_most(0.1),
                warn=at_most(0),
                evidence=10,
                why="An id stands for one tag. Are rows shifted?",
            ),
        ),
    ),
)

SUITES = (TAGS, *GENOME)
