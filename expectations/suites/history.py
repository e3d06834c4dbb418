"""History: what must hold of every version, over and above what dbt tests say of overlaps and current versions."""

from __future__ import annotations

from expectations.measure import NONE, Measure, Suite, at_most, value, worst

_CLOCK = """
    select
        effective_at,
        max(case when table_name = '{table}' then mode end) as mode
    from {{raw}}.batches group by effective_at
"""
_VERSIONS = """
    select
        h.*,
        row_number() over (partition by h.movie_id order by h.valid_from nulls first) as place,
        lag(h.valid_to) over (partition by h.movie_id order by h.valid_from nulls first) as valid_to_before,
        lag(h.source_title) over (partition by h.movie_id order by h.valid_from nulls first) as title_before,
        lag(h.genres) over (partition by h.movie_id order by h.valid_from nulls first) as genres_before,
        lead(h.valid_from) over (partition by h.movie_id order by h.valid_from nulls first) as next_valid_from
    from {marts}.dim_movies_history as h
"""
_MOVIE = "'movie ' || movie_id || ' from ' || cast(valid_from as varchar)"
_FAULTS = """
    select
        v.movie_id, v.valid_from, v.title_before, v.source_title,
        case when v.version != v.place then 1 else 0 end as misnumbered,
        case when v.is_current != (v.valid_to is null) then 1 else 0 end as mislabelled,
        case
            when v.valid_to_before = v.valid_from and v.title_before = v.source_title
                and coalesce(v.genres_before, '') = coalesce(v.genres, '') then 1
            else 0
        end as unchanged,
        case when b.effective_at is null or (v.valid_to is not null and e.effective_at is null) then 1 else 0 end as unexplained,
        case
            when v.valid_to is not null and (v.next_valid_from is null or v.next_valid_from > v.valid_to)
                and coalesce(e.mode, '') != 'full' then 1
            else 0
        end as vanished
    from versions as v
    left join clock as b on v.valid_from = b.effective_at
    left join clock as e on v.valid_to = e.effective_at
"""
_SIZE = """
    select
        (select count(*) from {marts}.dim_movies_history) as shown,
        (select count(*) from {snapshots}.snap_movies) as kept,
        (select count(*) from {snapshots}.snap_movies where valid_from > (select min(effective_at) from {raw}.batches)
            and valid_from = (select max(effective_at) from {raw}.batches)) as new_versions,
        (select count(*) from {marts}.dim_movies where not is_inferred) as movies
"""


def _rule(name: str, title: str, column: str, why: str = "") -> Measure:
    return Measure(
        name=name,
        title=title,
        sql=worst(_MOVIE, "1", "faults", "1", f"{column} = 1"),
        error=NONE,
        accepts=False,
        why=why,
    )


def _snapshot(relation: str, key: str, table: str, current: str) -> Suite:
    """The rules of a snapshot without a mart of its own; `current` counts the keys that should be open now."""
    versions = f"""
        select s.*
        from {{snapshots}}.{relation} as s
        inner join (select {key} from {{snapshots}}.{relation} group by {key} having count(*) > 1) as k on s.{key} = k.{key}
    """
    ordered = f"""
        select {key}, valid_from, valid_to, lead(valid_from) over (partition by {key} order by valid_from nulls first) as next_from
        from repeated
    """
    strays = f"""
        select s.{key}, s.valid_from
        from {{snapshots}}.{relation} as s
        left join clock as b on s.valid_from = b.effective_at
        left join clock as e on s.valid_to = e.effective_at
        where b.effective_at is null or (s.valid_to is not null and e.effective_at is null) or s.valid_to <= s.valid_from
    """
    named = f"'{key} ' || {key} || ' from ' || cast(valid_from as varchar)"
    return Suite(
        relation=f"snapshots.{relation}",
        stage="marts",
        needs=("raw.batches",),
        ctes=(
            ("clock", _CLOCK.format(table=table)),
            ("repeated", versions),
            ("ordered", ordered),
            ("strays", strays),
            (
                "open_now",
                f"select (select count(*) from {{snapshots}}.{relation} where valid_to is null) as n, ({current}) as wanted",
            ),
        ),
        measures=(
            Measure(
                name="no_overlap",
                title="Versions that overlap the next one",
                sql=worst(
                    named, "1", "ordered", "1", "next_from is not null and (valid_to is null or valid_to > next_from)"
                ),
                error=NONE,
                accepts=False,
            ),
            Measure(
                name="every_version_has_a_batch",
                title="Versions that begin or end when no batch took effect",
                sql=worst(named, "1", "strays", "1"),
                error=NONE,
                accepts=False,
            ),
            Measure(
                name="open_now",
                title="Open versions more or fewer than the current content has keys",
                sql=value("abs(n - wanted)", "open_now"),
                error=NONE,
                accepts=False,
            ),
        ),
    )


SUITES = (
    Suite(
        relation="marts.dim_movies_history",
        stage="marts",
        needs=("raw.batches", "snapshots.snap_movies", "marts.dim_movies"),
        ctes=(("clock", _CLOCK.format(table="movies")), ("versions", _VERSIONS), ("faults", _FAULTS), ("size", _SIZE)),
        measures=(
            _rule("numbered", "Versions that are not numbered 1, 2, 3, …", "misnumbered"),
            _rule("labelled", "Versions that are called current but have ended, or the other way round", "mislabelled"),
            _rule(
                "something_changed",
                "Versions that equal the one they follow",
                "unchanged",
                "An unchanged batch adds nothing.",
            ),
            _rule("every_version_has_a_batch", "Versions that begin or end when no batch took effect", "unexplained"),
            _rule(
                "gaps_are_declared",
                "Movies that vanished though no whole table was landed",
                "vanished",
                "Only a whole table can drop a movie.",
            ),
            Measure(
                name="equals_snapshot",
                title="Versions more or fewer than the snapshot has",
                sql=value("abs(shown - kept)", "size"),
                error=NONE,
                accepts=False,
            ),
            Measure(
                name="few_change_at_once",
                title="Movies with a new version from the newest batch",
                unit="share",
                sql=value("new_versions / nullif(cast(movies as double), 0)", "size", "movies", "movies >= 100"),
                warn=at_most(0.3),
                why="Titles and genres are corrected one by one.",
            ),
        ),
    ),
    _snapshot(
        "snap_links",
        "movie_id",
        "links",
        "select count(*) from (select movie_id from {staging}.stg_links group by movie_id) as l",
    ),
    _snapshot(
        "snap_tags",
        "movie_tag_key",
        "tags",
        "select count(*) from (select user_id, movie_id, tag from {staging}.stg_tags group by user_id, movie_id, tag) as t",
    ),
)
