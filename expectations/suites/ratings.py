"""raw.ratings: stars and dates of a batch, by themselves."""

from __future__ import annotations

from expectations.measure import (
    NONE,
    Band,
    Measure,
    Suite,
    at_least,
    at_most,
    batch_rows,
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
ENOUGH = "ratings >= 1000 and users >= 100"
# A delta is what changed, no sample of what people like: one row's worth of evidence warns and stops no run.
EVIDENCE = "case when '{{mode:{}}}' = 'full' then {} else least({}, 1) end"
_RELEASES = "Middle of the releases from ml-latest-small to ml-32m; judged from 1,000 ratings of 100 users on, a delta only with warnings."
NEW = f"({batch_rows('ratings')}) as r"
ROW = "'user ' || r.user_id || ', movie ' || r.movie_id || ', timestamp ' || r.timestamp || ', part ' || r._part || ' row ' || r._row"

_BY_STAR = f"""
    select
        rating,
        count(*) as n,
        max(timestamp) as newest,
        sum(case when timestamp < {OPENING} then 1 else 0 end) as too_old,
        sum(case when timestamp > {{last_second}} then 1 else 0 end) as too_new,
        sum(case when timestamp < {HALF_STARS_SINCE} then 1 else 0 end) as early
    from {NEW}
    group by rating
"""
_USERS = f"select user_id from {NEW} group by user_id"
_TOTAL = f"""
    select
        s.*,
        {EVIDENCE.format("ratings", "ratings", "ratings")} as ratings_evidence,
        {EVIDENCE.format("ratings", "early_halves", "early_halves")} as early_halves_evidence,
        {EVIDENCE.format("ratings", "too_new", "too_new")} as too_new_evidence,
        sqrt(greatest(s.mean_square - s.mean * s.mean, 0)) as spread,
        s.too_old / nullif(cast(s.ratings as double), 0) as too_old_share,
        s.too_new / nullif(cast(s.ratings as double), 0) as too_new_share,
        s.early_halves / nullif(cast(s.early as double), 0) as early_halves_share,
        (select count(*) from users) as users
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
"""
_STARS = " union all ".join(f"select {star} as rating, {share} as usual" for star, share in STAR_SHARES.items())

SUITES = (
    Suite(
        relation="raw.ratings",
        stage="raw",
        when=lambda state: state.brings("ratings"),
        ctes=(("by_star", _BY_STAR), ("users", _USERS), ("total", _TOTAL), ("usual", _STARS)),
        measures=(
            Measure(
                name="rating_mean",
                title="Mean rating",
                unit="stars",
                sql=value("mean", "total", "ratings_evidence", ENOUGH),
                error=Band(2.5, 4.25),
                warn=Band(3.2, 3.8),
                evidence=2,
                why=f"3.5 in every release. {_RELEASES}",
            ),
            Measure(
                name="rating_spread",
                title="Spread of ratings (standard deviation)",
                unit="stars",
                sql=value("spread", "total", "ratings_evidence", ENOUGH),
                error=Band(0.5, 1.6),
                warn=Band(0.9, 1.2),
                evidence=2,
                why=f"1.04 to 1.07 in every release. {_RELEASES}",
            ),
            Measure(
                name="whole_stars",
                title="Share of ratings that are whole stars",
                unit="share",
                sql=value("whole", "total", "ratings_evidence", ENOUGH),
                error=at_least(0.45),
                warn=at_least(0.6),
                evidence=2,
                why=f"About 70 %: people prefer whole stars. Shifted by half a star it falls below 45 %. {_RELEASES}",
            ),
            Measure(
                name="star_shares",
                title="Share of a half star, distance from its usual share",
                unit="share",
                sql=worst(
                    "u.rating",
                    "abs(coalesce(s.n, 0) / nullif(cast(total.ratings as double), 0) - u.usual)",
                    "usual as u left join by_star as s on s.rating = u.rating cross join total",
                    "ratings_evidence",
                    ENOUGH,
                ),
                error=at_most(0.25),
                warn=at_most(0.06),
                evidence=2,
                why=_RELEASES,
            ),
            Measure(
                name="half_stars_before_2003",
                title="Half stars among the ratings from before 18 February 2003",
                sql=examples(
                    f"{ROW} || ': ' || r.rating",
                    NEW,
                    f"r.timestamp < {HALF_STARS_SINCE} and r.rating != floor(r.rating) and total.early_halves_share <= 0.45",
                    "early_halves_share",
                    "early_halves_evidence",
                    "total",
                ),
                unit="share",
                error=at_most(0.02),
                warn=NONE,
                evidence=20,
                why="There were none to give. (With nearly half of them or more, the data set never followed the rule.)",
            ),
            Measure(
                name="not_before_1995",
                title="Ratings from before MovieLens opened in 1995",
                unit="share",
                sql=examples(ROW, NEW, f"r.timestamp < {OPENING}", "too_old_share", "too_old", "total"),
                error=at_most(0.001),
                warn=NONE,
                evidence=20,
                why="Are milliseconds taken for seconds, or the other way round?",
            ),
            Measure(
                name="not_after_as_of",
                title="Ratings from more than a day after the batch's as_of",
                unit="share",
                sql=examples(ROW, NEW, "r.timestamp > {last_second}", "too_new_share", "too_new_evidence", "total"),
                error=at_most(0.001),
                warn=NONE,
                evidence=20,
                why="A batch cannot know what comes after it. A delta only warns.",
            ),
            Measure(
                name="fresh",
                title="Age of the newest rating when the batch was made",
                unit="days",
                sql=value("({last_second} - 86400 - newest) / 86400.0", "total", "ratings", "ratings > 0"),
                warn=at_most(730),
                why="A release follows its last rating within days or months.",
            ),
        ),
    ),
)
