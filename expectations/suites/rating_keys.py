"""raw.ratings: whose ratings of what a batch has, and whether each is there once."""

from __future__ import annotations

from expectations.measure import NONE, Measure, Suite, at_most, current_rows, examples, value
from expectations.suites.ratings import ENOUGH, NEW, ROW

_BY_USER = f"select user_id, count(*) as n from {NEW} group by user_id"
_TOTAL = """
    select
        sum(n) as ratings, count(*) as users, min(user_id) as least_id, max(user_id) as greatest_id,
        sum(case when n < 20 then 1 else 0 end) as few
    from by_user
"""
_PAIRS = f"""
    select user_id, movie_id, count(*) as versions, sum(n) as n
    from (
        select user_id, movie_id, rating, timestamp, count(*) as n
        from {NEW}
        where mod(user_id, {{step:ratings}}) = 0
        group by user_id, movie_id, rating, timestamp
    ) as v
    group by user_id, movie_id
    having sum(n) > 1
"""
_REPEATED = """
    select
        sum(n - versions) as copies, sum(versions - 1) as versions,
        (select sum(n) from by_user where mod(user_id, {step:ratings}) = 0) as n
    from pairs
"""
_UNKNOWN = f"""
    select r.movie_id, r.n
    from (select movie_id, count(*) as n from {NEW} group by movie_id) as r
    left join (select movie_id from ({current_rows("movies", "movie_id")}) as m group by movie_id) as m
        on r.movie_id = m.movie_id
    where m.movie_id is null
"""
_ORPHANS = """
    select sum(n) as n, sum(n) / nullif(cast((select sum(n) from by_user) as double), 0) as share from unknown
"""

SUITES = (
    Suite(
        relation="raw.ratings",
        about="keys",
        stage="raw",
        when=lambda state: state.brings("ratings"),
        ctes=(
            ("by_user", _BY_USER),
            ("total", _TOTAL),
            ("pairs", _PAIRS),
            ("repeated", _REPEATED),
            ("unknown", _UNKNOWN),
            ("orphans", _ORPHANS),
        ),
        measures=(
            Measure(
                name="movies_are_known",
                title="Ratings of movies that movies.csv does not list",
                unit="share",
                sql=examples(
                    ROW, f"{NEW} inner join unknown as k on r.movie_id = k.movie_id", "true", "share", "n", "orphans"
                ),
                error=at_most(0.01),
                warn=NONE,
                evidence=100,
                why="None in any release.",
            ),
            Measure(
                name="no_copies",
                title="Ratings that are exact copies of another line",
                unit="share",
                sql=value("copies / nullif(cast(n as double), 0)", "repeated", "copies", "copies > 0"),
                error=at_most(0.01),
                warn=NONE,
                evidence=20,
                why="A part or a file was appended twice. Above 2 million rows: of a sample of users.",
            ),
            Measure(
                name="rated_once",
                title="Movies that a user rated more than once in a whole table",
                unit="share",
                sql=value(
                    "versions / nullif(cast(n as double), 0)",
                    "repeated",
                    "versions",
                    "versions > 0 and '{mode:ratings}' = 'full'",
                ),
                error=at_most(0.01),
                warn=NONE,
                evidence=20,
                why="A release keeps a user's latest rating. Are user or movie ids shifted?",
            ),
            Measure(
                name="user_ids_from_one",
                title="User ids that are missing before the first one",
                unit="ids",
                sql=value(
                    "least_id - 1",
                    "total",
                    "users",
                    f"'{{mode:ratings}}' = 'full' and {ENOUGH} and greatest_id - least_id + 1 = users",
                ),
                error=NONE,
                why="A release numbers its users 1, 2, 3, …: a run that starts later is shifted.",
            ),
            Measure(
                name="user_ids_are_dense",
                title="Highest user id, as a multiple of the number of users",
                unit="times",
                sql=value(
                    "greatest_id / nullif(cast(users as double), 0)",
                    "total",
                    "users",
                    f"'{{mode:ratings}}' = 'full' and {ENOUGH}",
                ),
                warn=at_most(1.5),
                why="A release numbers its users 1, 2, 3, ….",
            ),
            Measure(
                name="users_rate_twenty",
                title="Users with fewer than 20 ratings",
                unit="share",
                sql=value(
                    "few / nullif(cast(users as double), 0)",
                    "total",
                    "few",
                    f"'{{mode:ratings}}' = 'full' and {ENOUGH} and few <= 0.25 * users",
                ),
                warn=at_most(0.005),
                why="A release has only users with 20 or more. Are ratings missing? (A first part of a replay has some.)",
            ),
            Measure(
                name="ratings_per_user",
                title="Mean number of ratings of a user",
                unit="number",
                sql=value("ratings / nullif(cast(users as double), 0)", "total", "ratings", "ratings >= 10000"),
                error=at_most(2_000),
                warn=at_most(500),
                why="144 to 165 in the releases. Has the user id collapsed?",
            ),
        ),
    ),
)
