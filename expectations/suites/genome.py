"""raw.genome_scores and raw.genome_tags: a matrix of movies and tags in which no cell is missing."""

from __future__ import annotations

from expectations.measure import NONE, Band, Measure, Suite, at_most, batch_rows, current_rows, examples, value, worst

_TAGS = f"select tag_id from ({current_rows('genome_tags', 'tag_id')}) as t group by tag_id"
_NEW = f"({batch_rows('genome_scores')}) as g"
_BY_MOVIE = f"""
    select movie_id, count(*) as n, sum(relevance) as total, sum(relevance * relevance) as squares
    from {_NEW} group by movie_id
"""
_BY_TAG = f"select tag_id, count(*) as n from {_NEW} group by tag_id"
_MATRIX = """
    select
        s.*, t.tags,
        sqrt(greatest(s.square - s.mean * s.mean, 0)) as spread
    from (
        select
            count(*) as movies, sum(n) as n, sum(total) / nullif(sum(n), 0) as mean,
            sum(squares) / nullif(sum(n), 0) as square
        from by_movie
    ) as s
    cross join (select count(*) as tags from tags) as t
"""
_GAPS = """
    select
        max(m.movies) as movies,
        sum(case when b.n != m.tags then 1 else 0 end) / nullif(cast(max(m.movies) as double), 0) as share
    from by_movie as b
    cross join matrix as m
"""
_UNKNOWN_TAGS = """
    select sum(b.n) as n, sum(b.n) / nullif(cast((select sum(n) from by_tag) as double), 0) as share
    from by_tag as b left join tags as t on b.tag_id = t.tag_id
    where t.tag_id is null
"""
_UNKNOWN_MOVIES = f"""
    select sum(b.n) as n, sum(b.n) / nullif(cast((select sum(n) from by_movie) as double), 0) as share
    from by_movie as b
    left join (select movie_id from ({current_rows("movies", "movie_id")}) as m group by movie_id) as m
        on b.movie_id = m.movie_id
    where m.movie_id is null
"""

SUITES = (
    Suite(
        relation="raw.genome_scores",
        stage="raw",
        when=lambda state: state.brings("genome_scores"),
        ctes=(
            ("tags", _TAGS),
            ("by_movie", _BY_MOVIE),
            ("by_tag", _BY_TAG),
            ("matrix", _MATRIX),
            ("gaps", _GAPS),
            ("unknown_tags", _UNKNOWN_TAGS),
            ("unknown_movies", _UNKNOWN_MOVIES),
        ),
        measures=(
            Measure(
                name="matrix_is_complete",
                title="Movies that do not have one score for each genome tag",
                unit="share",
                sql=examples(
                    "'movie ' || b.movie_id || ': ' || b.n || ' scores for ' || matrix.tags || ' tags'",
                    "by_movie as b cross join matrix",
                    "b.n != matrix.tags and '{mode:genome_scores}' = 'full' and matrix.tags > 0",
                    "share",
                    "movies",
                    "gaps",
                ),
                error=NONE,
                warn=NONE,
                evidence=20,
                why="The genome is a full matrix; judged from 20 movies on.",
            ),
            Measure(
                name="tags_are_known",
                title="Scores for tags that genome-tags.csv does not list",
                unit="share",
                sql=value("share", "unknown_tags", "n", "n > 0"),
                error=at_most(0.001),
                warn=NONE,
                evidence=20,
                why="None in any release.",
            ),
            Measure(
                name="movies_are_known",
                title="Scores of movies that movies.csv does not list",
                unit="share",
                sql=value("share", "unknown_movies", "n", "n > 0"),
                error=at_most(0.01),
                warn=NONE,
                evidence=100,
                why="None in any release.",
            ),
            Measure(
                name="relevance_mean",
                title="Mean relevance",
                unit="number",
                sql=value("mean", "matrix", "n", "n >= 1000"),
                error=Band(0.005, 0.9),
                warn=Band(0.05, 0.3),
                why="0.09 to 0.12 in the releases; judged from 1,000 scores on.",
            ),
            Measure(
                name="relevance_spread",
                title="Spread of relevance (standard deviation)",
                unit="number",
                sql=value("spread", "matrix", "n", "n >= 1000"),
                error=Band(0.01, 0.5),
                warn=Band(0.05, 0.3),
                why="0.11 to 0.15 in the releases; judged from 1,000 scores on.",
            ),
        ),
    ),
    Suite(
        relation="raw.genome_tags",
        stage="raw",
        when=lambda state: state.brings("genome_tags"),
        ctes=(
            ("tags", f"select tag_id, lower(trim(tag)) as plain from ({batch_rows('genome_tags')}) as t"),
            ("texts", "select plain, count(distinct tag_id) as n from tags group by plain"),
            ("ids", "select tag_id, count(*) as n from tags group by tag_id"),
        ),
        measures=(
            Measure(
                name="tags_differ",
                title="Genome tags with the same text",
                sql=worst("coalesce(plain, '(blank)')", "n - 1", "texts", "n", "n > 1"),
                warn=NONE,
                why="The marts keep the one with the lowest id.",
            ),
            Measure(
                name="tags_are_listed_once",
                title="Genome tags that are listed again",
                sql=worst("'tag ' || tag_id", "n - 1", "ids", "n", "n > 1"),
                warn=NONE,
            ),
            Measure(
                name="tags_are_not_blank",
                title="Blank genome tags",
                sql=worst("'tag ' || tag_id", "1", "tags", "1", "coalesce(plain, '') = ''"),
                warn=NONE,
            ),
        ),
    ),
)
