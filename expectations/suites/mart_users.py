"""Users, tags and days in the marts: against the facts they are made of."""

from __future__ import annotations

from expectations.measure import NONE, Measure, Suite, at_most, value, worst
from expectations.suites.mart_movies import difference

_USERS = """
    select
        d.user_id,
        case when d.rating_count != a.ratings or d.tag_count != a.tags then 1 else 0 end as counts_differ,
        case
            when d.user_id is null or d.first_activity_at is distinct from a.first_at
                or d.last_activity_at is distinct from a.last_at then 1
            else 0
        end as times_differ,
        case when d.rating_count + d.tag_count = 0 and coalesce(d.gender, d.occupation, d.zip_code) is null then 1 else 0 end
            as idle
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
        d.n, d.days,
        sum(case when cast(u.first_activity_at as date) < d.first_day then 1 else 0 end)
        + sum(case when cast(u.last_activity_at as date) > d.last_day then 1 else 0 end) as outside,
        count(*) as users
    from (
        select
            count(*) as n, datediff('day', min(date_day), max(date_day)) + 1 as days,
            min(date_day) as first_day, max(date_day) as last_day
        from {marts}.dim_dates
    ) as d
    cross join {marts}.dim_users as u
    group by d.n, d.days
"""
_TAGS = """
    select
        (select coalesce(sum(use_count), 0) from {marts}.dim_tags) as used,
        (select count(*) from {snapshots}.snap_tags where valid_to is null) as current_tags,
        (select count(genome_tag_id) from {marts}.dim_tags) as genome_tags,
        (
            select count(distinct tag)
            from (
                select
                    tag,
                    row_number() over (
                        partition by genome_tag_id
                        order by _batch desc nulls last, _part desc nulls last, _row desc nulls last
                    ) as place
                from {staging}.stg_genome_tags
            ) as ranked
            where place = 1
        ) as staged_genome_tags
"""
_MESSY = """
    select tag_id, tag from {marts}.dim_tags
    where tag != lower(tag) or tag != trim(tag) or contains(tag, '  ') or tag = ''
"""


SUITES = (
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
            difference(
                "uses_are_counted",
                "Uses of tags that the history of tags has not, or has twice",
                "used",
                "current_tags",
                "counts",
            ),
            difference(
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
            difference(
                "no_day_is_missing", "Days that are missing between the first and the last", "n", "days", "dates"
            ),
            Measure(
                name="covers_all_activity",
                title="Users with activity before the first or after the last day",
                unit="share",
                sql=value("outside / nullif(cast(users as double), 0)", "dates", "outside", "outside > 0"),
                error=at_most(0.01),
                warn=NONE,
                evidence=10,
                why="The calendar ends in 2070: later timestamps are no dates.",
            ),
        ),
    ),
)
