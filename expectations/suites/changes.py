"""What a batch does to what stands: the marts hold the last good state while a batch waits at the raw gate.

The bands are learned: a whole table may grow, but it should keep most of what the one before it had.
"""

from __future__ import annotations

from expectations.measure import Band, Measure, Suite, at_least, at_most, batch_rows, value, worst

_KEPT = "A new release keeps most of the one before; judged from 1,000 rows before on."

_STARS = f"""
    select
        coalesce(b.rating, a.rating) as rating,
        coalesce(b.rating_count, 0) as before, coalesce(a.n, 0) as after
    from {{marts}}.rating_distribution as b
    full outer join (select rating, count(*) as n from ({batch_rows("ratings")}) as r group by rating) as a
        on b.rating = a.rating
"""
_RATINGS = """
    select
        sum(before) as before, sum(after) as after,
        sum(cast(rating as double) * before) / nullif(sum(before), 0) as mean_before,
        sum(cast(rating as double) * after) / nullif(sum(after), 0) as mean_after
    from stars
"""
# Days first: casting twenty million timestamps to dates costs little, truncating them to months does not.
_BY_MONTH = """
    select cast(date_trunc('month', day) as date) as month_start, sum(n) as n
    from (select cast(rated_at as date) as day, count(*) as n from {relation} group by 1) as d
    group by 1
"""
_MONTHS = f"""
    select b.month_start, b.n as before, coalesce(a.n, 0) as after
    from ({_BY_MONTH.replace("{relation}", "{marts}.fact_ratings")}) as b
    left join ({_BY_MONTH.replace("{relation}", "{staging}.stg_ratings")}) as a on b.month_start = a.month_start
"""
_USERS = f"""
    select
        (select count(*) from {{marts}}.dim_users where rating_count > 0) as before,
        (select count(*) from (select user_id from ({batch_rows("ratings")}) as r group by user_id) as u) as after
"""
_SAME = """
    select
        count(*) as n,
        sum(case when a.user_id is not null then 1 else 0 end) as kept,
        sum(case when a.rated_at = b.rated_at and a.rating != b.rating then 1 else 0 end) as regraded,
        sum(case when a.rated_at != b.rated_at and a.rating = b.rating then 1 else 0 end) as moved
    from (select * from {marts}.fact_ratings where mod(user_id, {step:ratings}) = 0) as b
    left join (select * from {staging}.stg_ratings where mod(user_id, {step:ratings}) = 0) as a
        on b.user_id = a.user_id and b.movie_id = a.movie_id
"""

RATINGS = Suite(
    relation="raw.ratings",
    about="against the marts",
    stage="raw",
    when=lambda state: state.replaces("ratings"),
    needs=("marts.fact_ratings", "marts.rating_distribution", "marts.dim_users", "staging.stg_ratings"),
    ctes=(("stars", _STARS), ("total", _RATINGS), ("months", _MONTHS), ("users", _USERS), ("same", _SAME)),
    measures=(
        Measure(
            name="volume",
            title="Ratings, as a multiple of those before",
            unit="times",
            sql=value("after / nullif(cast(before as double), 0)", "total", "before"),
            error=at_least(0.8),
            warn=Band(0.95, 3),
            evidence=1000,
            why=_KEPT,
        ),
        Measure(
            name="users",
            title="Users who rate, as a multiple of those before",
            unit="times",
            sql=value("after / nullif(cast(before as double), 0)", "users", "before"),
            error=at_least(0.8),
            warn=Band(0.95, 3),
            evidence=100,
            why=_KEPT,
        ),
        Measure(
            name="volume_of_a_month",
            title="Ratings of a month, as a multiple of those before",
            unit="times",
            sql=worst("month_start", "after / cast(before as double)", "months", "before", "before >= 20", "observed"),
            error=at_least(0.7),
            warn=at_least(0.9),
            evidence=100,
            why="The past does not lose ratings by the month.",
        ),
        Measure(
            name="rating_mean",
            title="Mean rating, distance from that before",
            unit="stars",
            sql=value("mean_after - mean_before", "total", "least(before, after)", "before > 0"),
            error=Band(-0.1, 0.1),
            warn=Band(-0.03, 0.03),
            evidence=1000,
            why="It moved by 0.04 in the 12 years from ml-10m on.",
        ),
        Measure(
            name="star_shares",
            title="Share of a half star, distance from that before",
            unit="share",
            sql=worst(
                "s.rating",
                "abs(s.after / nullif(cast(t.after as double), 0) - s.before / nullif(cast(t.before as double), 0))",
                "stars as s cross join total as t",
                "least(t.before, t.after)",
            ),
            error=at_most(0.05),
            warn=at_most(0.02),
            evidence=1000,
            why=_KEPT,
        ),
        Measure(
            name="regraded",
            title="Ratings that have other stars than before at the same second",
            unit="share",
            sql=value("regraded / nullif(cast(kept as double), 0)", "same", "regraded", "kept > 0"),
            error=at_most(0.005),
            warn=at_most(0),
            evidence=20,
            why="Whoever changes a rating leaves a new timestamp.",
        ),
        Measure(
            name="moved",
            title="Ratings with the same stars as before at another time",
            unit="share",
            sql=value("moved / nullif(cast(kept as double), 0)", "same", "moved", "kept > 0"),
            error=at_most(0.2),
            warn=at_most(0.02),
            evidence=100,
            why="Were timestamps shifted, by a time zone or by more?",
        ),
        Measure(
            name="kept",
            title="Ratings before that are still there, by user and movie",
            unit="share",
            sql=value("kept / nullif(cast(n as double), 0)", "same", "n"),
            warn=at_least(0.8),
            evidence=1000,
            why="Less when a release deals its user ids anew, which is no fault; or when ids are shifted.",
        ),
    ),
)

_MOVIES = """
    select
        b.movie_id, b.source_title as title_before, a.source_title as title_after,
        b.genres as genres_before, a.genres as genres_after,
        case when a.movie_id is null then 1 else 0 end as gone,
        case when a.source_title != b.source_title then 1 else 0 end as retitled,
        case when a.movie_id is not null and coalesce(a.genres, '') != coalesce(b.genres, '') then 1 else 0 end as other_genres
    from {marts}.dim_movies as b
    left join (select * from {staging}.stg_movies where _batch_id = '{batch}') as a on b.movie_id = a.movie_id
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
    where '{mode:movies}' = 'full'
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
            error=at_most(0.2),
            warn=at_most(0.05),
            evidence=100,
            why=_KEPT,
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
            sql=worst("genre", "after / nullif(cast(before as double), 0)", "genres", "before", order="observed"),
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
    left join (select * from {staging}.stg_links where _batch_id = '{batch}') as a on b.movie_id = a.movie_id
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
            error=at_most(0.2),
            warn=at_most(0.05),
            evidence=100,
            why=_KEPT,
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
            why=_KEPT,
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
    left join (select * from {staging}.stg_genome_tags where _batch_id = '{batch}') as a on b.genome_tag_id = a.genome_tag_id
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

SUITES = (RATINGS, MOVIES, LINKS, TAGS, *GENOME)
