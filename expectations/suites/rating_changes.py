"""What a batch of ratings does to those that stand: the marts hold the last good state while a batch waits.

The bands are learned: a whole table may grow, but it should keep most of what the one before it had.
"""

from __future__ import annotations

from expectations.measure import Band, Measure, Suite, at_least, at_most, batch_rows, value, worst

# A release that deals its user ids anew is another sample of ratings: what only holds for the same one is not asked.
SAME_PEOPLE = "(select kept / nullif(cast(n as double), 0) from same) >= 0.5"
KEPT = "A new release keeps most of the one before; judged from 1,000 rows before on."

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
    ctes=(("stars", _STARS), ("total", _RATINGS), ("same", _SAME), ("months", _MONTHS), ("users", _USERS)),
    measures=(
        Measure(
            name="volume",
            title="Ratings, as a multiple of those before",
            unit="times",
            sql=value("after / nullif(cast(before as double), 0)", "total", "before"),
            error=at_least(0.8),
            warn=Band(0.95, 3),
            evidence=1000,
            why=KEPT,
        ),
        Measure(
            name="users",
            title="Users who rate, as a multiple of those before",
            unit="times",
            sql=value("after / nullif(cast(before as double), 0)", "users", "before"),
            error=at_least(0.8),
            warn=Band(0.95, 3),
            evidence=100,
            why=KEPT,
        ),
        Measure(
            name="volume_of_a_month",
            title="Ratings of a month, as a multiple of those before",
            unit="times",
            sql=worst(
                "month_start",
                "after / nullif(cast(before as double), 0)",
                "months",
                "before",
                f"before >= 20 and {SAME_PEOPLE}",
                "observed",
            ),
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
            why=KEPT,
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
            sql=value("moved / nullif(cast(kept as double), 0)", "same", "moved", f"kept > 0 and {SAME_PEOPLE}"),
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

SUITES = (RATINGS,)
