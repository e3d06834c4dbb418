"""raw.links: whether movies are linked to the other catalogues, and by ids that look like theirs."""

from __future__ import annotations

from expectations.measure import NONE, Measure, Suite, at_most, batch_rows, current_rows, examples, value

_ROW = "'movie ' || k.movie_id || ': imdb ' || coalesce(k.imdb_id, 'none') || ', tmdb ' || coalesce(cast(k.tmdb_id as varchar), 'none')"
_NEW = f"({batch_rows('links')}) as k"
_TOTAL = f"""
    select
        count(*) as n,
        sum(case when length(imdb_id) < 7 then 1 else 0 end) as short,
        sum(case when length(imdb_id) < 7 then 1 else 0 end) / nullif(cast(count(*) as double), 0) as short_share,
        (count(*) - count(imdb_id)) / nullif(cast(count(*) as double), 0) as no_imdb_share,
        (count(*) - count(tmdb_id)) / nullif(cast(count(*) as double), 0) as no_tmdb_share,
        count(*) - count(distinct movie_id) as repeated,
        (count(*) - count(distinct movie_id)) / nullif(cast(count(*) as double), 0) as repeated_share,
        1 - count(distinct imdb_id) / nullif(cast(count(distinct movie_id) as double), 0) as same_imdb_share,
        1 - count(distinct tmdb_id) / nullif(cast(count(distinct movie_id) as double), 0) as same_tmdb_share
    from {_NEW}
"""
_COVERED = f"""
    select
        count(m.movie_id) as movies,
        sum(case when k.movie_id is null then 1 else 0 end) / nullif(cast(count(m.movie_id) as double), 0) as bare_share
    from (select movie_id from ({current_rows("movies", "movie_id")}) as c group by movie_id) as m
    left join (select movie_id from ({current_rows("links", "movie_id")}) as c group by movie_id) as k
        on m.movie_id = k.movie_id
"""

SUITES = (
    Suite(
        relation="raw.links",
        stage="raw",
        when=lambda state: state.brings("links"),
        ctes=(("total", _TOTAL), ("covered", _COVERED)),
        measures=(
            Measure(
                name="imdb_ids_are_whole",
                title="IMDb ids with fewer than 7 digits",
                unit="share",
                sql=examples(_ROW, _NEW, "length(k.imdb_id) < 7", "short_share", "short", "total"),
                error=at_most(0.01),
                warn=NONE,
                evidence=20,
                why="IMDb writes 7 or more digits: were leading zeros lost?",
            ),
            Measure(
                name="imdb_ids_are_there",
                title="Movies without an IMDb id",
                unit="share",
                sql=value("no_imdb_share", "total", "n", "n >= 100"),
                error=at_most(0.5),
                warn=at_most(0.01),
                why="None in the releases; judged from 100 links on.",
            ),
            Measure(
                name="tmdb_ids_are_there",
                title="Movies without a TMDB id",
                unit="share",
                sql=value("no_tmdb_share", "total", "n", "n >= 100"),
                error=at_most(0.5),
                warn=at_most(0.05),
                why="0.1 % to 1.2 %; judged from 100 links on.",
            ),
            Measure(
                name="imdb_ids_differ",
                title="Movies that share their IMDb id with another, or have none",
                unit="share",
                sql=value("same_imdb_share", "total", "n", "n >= 100"),
                error=at_most(0.2),
                warn=at_most(0.01),
                why="None in the releases; judged from 100 links on.",
            ),
            Measure(
                name="tmdb_ids_differ",
                title="Movies that share their TMDB id with another, or have none",
                unit="share",
                sql=value("same_tmdb_share", "total", "n", "n >= 100"),
                error=at_most(0.5),
                warn=at_most(0.05),
                why="Under 2 %; judged from 100 links on.",
            ),
            Measure(
                name="movies_are_linked_once",
                title="Lines that link a movie again",
                unit="share",
                sql=value("repeated_share", "total", "repeated", "repeated > 0"),
                error=at_most(0.01),
                warn=NONE,
                evidence=10,
                why="A part or a file was appended twice.",
            ),
            Measure(
                name="movies_are_linked",
                title="Movies that links.csv does not list",
                unit="share",
                sql=value("bare_share", "covered", "movies", "movies >= 100"),
                error=at_most(0.25),
                warn=at_most(0.01),
                why="None in the releases; judged from 100 movies on.",
            ),
        ),
    ),
)
