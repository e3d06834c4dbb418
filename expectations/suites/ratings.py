"""raw.ratings: what a batch of ratings looks like by itself."""

from __future__ import annotations

from expectations.measure import (
    NONE,
    Band,
    Measure,
    Suite,
    at_least,
    at_most,
    batch_rows,
    current_rows,
    examples,
    value,
    worst,
)

OPENING = 788_918_400
"""1 January 1995, in seconds: MovieLens has no ratings from before."""
HALF_STARS_SINCE = 1_045_526_400
"""18 February 2003, in seconds: until then people could only give whole stars."""
STAR_SHARES = {
    "0.5": 0.013, "1.0": 0.030, "1.5": 0.016, "2.0": 0.072, "2.5": 0.048,
    "3.0": 0.207, "3.5": 0.124, "4.0": 0.280, "4.5": 0.080, "5.0": 0.130,
}  # fmt: skip
"""Share of each half star, the middle of the releases from ml-latest-small to ml-32m."""

# A few thousand people are needed before shares settle; a hundred keep one person's taste from counting as a fault.
_ENOUGH = "ratings >= 1000 and users >= 100"
_RELEASES = "Middle of the releases from ml-latest-small to ml-32m; judged from 1,000 ratings of 100 users on."
_NEW = f"({batch_rows('ratings')}) as r"
_ROW = "'user ' || r.user_id || ', movie ' || r.movie_id || ', timestamp ' || r.timestamp || ', ' || r._file || ' row ' || r._row"

_BY_STAR = f"""
    select
        rating,
        count(*) as n,
        max(timestamp) as newest,
        sum(case when timestamp < {OPENING} then 1 else 0 end) as too_old,
        sum(case when timestamp > {{last_second}} then 1 else 0 end) as too_new,
        sum(case when timestamp < {HALF_STARS_SINCE} then 1 else 0 end) as early
    from {_NEW}
    group by rating
"""
_BY_USER = f"select user_id, count(*) as n from {_NEW} group by user_id"
_TOTAL = """
    select
        s.*,
        sqrt(greatest(s.mean_square - s.mean * s.mean, 0)) as spread,
        s.too_old / nullif(cast(s.ratings as double), 0) as too_old_share,
        s.too_new / nullif(cast(s.ratings as double), 0) as too_new_share,
        s.early_halves / nullif(cast(s.early as double), 0) as early_halves_share,
        u.users, u.least_id, u.greatest_id, u.few
    from (
        select
            sum(n) as ratings,
            sum(cast(rating as double) * n) / nullif(sum(n), 0) as mean,
            sum(cast(rating as double) * rating * n) / nullif(sum(n), 0) as mean_square,
            sum(case when rating = floor(rating) then n else 0 end) / nullif(cast(sum(n) as double), 0) as whole,
            sum(too_old) as too_old,
            sum(too_new) as too_new,
            sum(early) as early,
            sum(case when rating != floor(rating) then early else 0 end) as early_halves,
            max(newest) as newest
        from by_star
    ) as s
    cross join (
        select
            count(*) as users, min(user_id) as least_id, max(user_id) as greatest_id,
            sum(case when n < 20 then 1 else 0 end) as few
        from by_user
    ) as u
"""
_PAIRS = f"""
    select user_id, movie_id, count(*) as versions, sum(n) as n
    from (
        select user_id, movie_id, rating, timestamp, count(*) as n
        from {_NEW}
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
    from (select movie_id, count(*) as n from {_NEW} group by movie_id) as r
    left join (select movie_id from ({current_rows("movies", "movie_id")}) as m group by movie_id) as m
        on r.movie_id = m.movie_id
    where m.movie_id is null
"""
_ORPHANS = """
    select sum(n) as n, sum(n) / nullif(cast((select sum(n) from by_user) as double), 0) as share from unknown
"""
_STARS = " union all ".join(f"select {star} as rating, {share} as usual" for star, share in STAR_SHARES.items())

RATINGS = Suite(
    relation="raw.ratings",
    stage="raw",
    when=lambda state: state.brings("ratings"),
    ctes=(
        ("by_star", _BY_STAR),
        ("by_user", _BY_USER),
        ("total", _TOTAL),
        ("pairs", _PAIRS),
        ("repeated", _REPEATED),
        ("unknown", _UNKNOWN),
        ("orphans", _ORPHANS),
        ("usual", _STARS),
    ),
    measures=(
        Measure(
            name="rating_mean",
            title="Mean rating",
            unit="stars",
            sql=value("mean", "total", "ratings", _ENOUGH),
            error=Band(2.5, 4.25),
            warn=Band(3.2, 3.8),
            why=f"3.5 in every release. {_RELEASES}",
        ),
        Measure(
            name="rating_spread",
            title="Spread of ratings (standard deviation)",
            unit="stars",
            sql=value("spread", "total", "ratings", _ENOUGH),
            error=Band(0.5, 1.6),
            warn=Band(0.9, 1.2),
            why=f"1.04 to 1.07 in every release. {_RELEASES}",
        ),
        Measure(
            name="whole_stars",
            title="Share of ratings that are whole stars",
            unit="share",
            sql=value("whole", "total", "ratings", _ENOUGH),
            error=at_least(0.45),
            warn=at_least(0.6),
            why=f"About 70 %: people prefer whole stars. Shifted by half a star it falls below 45 %. {_RELEASES}",
        ),
        Measure(
            name="star_shares",
            title="Share of a half star, distance from its usual share",
            unit="share",
            sql=worst(
                "u.rating",
                "abs(coalesce(s.n, 0) / cast(total.ratings as double) - u.usual)",
                "usual as u left join by_star as s on s.rating = u.rating cross join total",
                "total.ratings",
                _ENOUGH,
            ),
            error=at_most(0.25),
            warn=at_most(0.06),
            why=_RELEASES,
        ),
        Measure(
            name="half_stars_before_2003",
            title="Half stars among the ratings from before 18 February 2003",
            sql=examples(
                f"{_ROW} || ': ' || r.rating",
                _NEW,
                f"r.timestamp < {HALF_STARS_SINCE} and r.rating != floor(r.rating) and total.early_halves_share <= 0.45",
                "early_halves_share",
                "early_halves",
                "total",
            ),
            unit="share",
            error=at_most(0.005),
            warn=NONE,
            evidence=20,
            why="There were none to give. (With nearly half of them or more, the data set never followed the rule.)",
        ),
        Measure(
            name="not_before_1995",
            title="Ratings from before MovieLens opened in 1995",
            unit="share",
            sql=examples(_ROW, _NEW, f"r.timestamp < {OPENING}", "too_old_share", "too_old", "total"),
            error=at_most(0.001),
            warn=NONE,
            evidence=20,
            why="Are milliseconds taken for seconds, or the other way round?",
        ),
        Measure(
            name="not_after_as_of",
            title="Ratings from more than a day after the batch's as_of",
            unit="share",
            sql=examples(_ROW, _NEW, "r.timestamp > {last_second}", "too_new_share", "too_new", "total"),
            error=at_most(0.001),
            warn=NONE,
            evidence=20,
            why="A batch cannot know what comes after it.",
        ),
        Measure(
            name="fresh",
            title="Age of the newest rating when the batch was made",
            unit="days",
            sql=value("({last_second} - 86400 - newest) / 86400.0", "total", "ratings", "ratings > 0"),
            warn=at_most(730),
            why="A release follows its last rating within days or months.",
        ),
        Measure(
            name="movies_are_known",
            title="Ratings of movies that movies.csv does not list",
            unit="share",
            sql=examples(
                _ROW, f"{_NEW} inner join unknown as k on r.movie_id = k.movie_id", "true", "share", "n", "orphans"
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
                f"'{{mode:ratings}}' = 'full' and {_ENOUGH} and greatest_id - least_id + 1 = users",
            ),
            error=NONE,
            why="A release numbers its users 1, 2, 3, …: a run that starts later is shifted.",
        ),
        Measure(
            name="user_ids_are_dense",
            title="Highest user id, as a multiple of the number of users",
            unit="times",
            sql=value(
                "greatest_id / cast(users as double)", "total", "users", f"'{{mode:ratings}}' = 'full' and {_ENOUGH}"
            ),
            warn=at_most(1.05),
            why="A release numbers its users 1, 2, 3, ….",
        ),
        Measure(
            name="users_rate_twenty",
            title="Users with fewer than 20 ratings",
            unit="share",
            sql=value(
                "few / cast(users as double)",
                "total",
                "few",
                f"'{{mode:ratings}}' = 'full' and {_ENOUGH} and few <= 0.25 * users",
            ),
            warn=NONE,
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
)

SUITES = (RATINGS,)
