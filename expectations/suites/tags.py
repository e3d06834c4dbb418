"""raw.tags: length, characters and dates of the tags of a batch, and whether they speak of the same users as ratings."""

from __future__ import annotations

from expectations.measure import NONE, Band, Measure, State, Suite, at_most, batch_rows, current_rows, examples, value
from expectations.suites.movies import WEIRD
from expectations.suites.ratings import EVIDENCE, OPENING

_NEW = f"({batch_rows('tags')}) as t"
_ROW = "'user ' || t.user_id || ', movie ' || t.movie_id || ', timestamp ' || t.timestamp || ': ' || coalesce(t.tag, '(none)')"
_SIGNS = f"""
    select
        t.user_id, t.movie_id, t.tag, t.timestamp,
        length(t.tag) as letters,
        case when coalesce(trim(t.tag), '') = '' then 1 else 0 end as blank,
        case when {WEIRD.format("t.tag")} then 1 else 0 end as weird,
        case when t.timestamp < {OPENING} then 1 else 0 end as too_old,
        case when t.timestamp > {{last_second}} then 1 else 0 end as too_new,
        case when k.movie_id is null then 1 else 0 end as orphan
    from {_NEW}
    left join (select movie_id from ({current_rows("movies", "movie_id")}) as m group by movie_id) as k
        on t.movie_id = k.movie_id
"""
_KINDS = ("blank", "weird", "too_old", "too_new", "orphan")
_TOTAL = f"""
    select
        count(*) as n,
        avg(cast(letters as double)) as mean_letters,
        max(letters) as most_letters,
        {", ".join(f"sum({kind}) as {kind}" for kind in _KINDS)},
        {", ".join(f"sum({kind}) / nullif(cast(count(*) as double), 0) as {kind}_share" for kind in _KINDS)},
        {EVIDENCE.format("tags", "sum(too_new)", "sum(too_new)")} as too_new_evidence
    from signs
"""
_LENGTHS = "select letters, count(*) as n from signs where letters is not null group by letters"
_CUT = """
    select
        max(total.n) as n,
        count(*) as lengths,
        sum(case when l.letters = total.most_letters then l.n else 0 end) as at_most_letters,
        sum(case when l.letters = total.most_letters - 1 then l.n else 0 end) as one_less
    from lengths as l
    cross join total
"""
_COPIES = """
    select sum(n - 1) as copies, sum(n - 1) / nullif(cast(sum(n) as double), 0) as share
    from (select count(*) as n from signs group by user_id, movie_id, tag, timestamp) as c
"""
# The pairs of users and movies with a tag, as they are and with the user id one up or down.
_PAIRS = f"""
    select t.user_id, t.movie_id, t.user_id + o.step as other_id, o.step
    from (select user_id, movie_id from ({current_rows("tags", "user_id, movie_id")}) as c group by 1, 2) as t
    cross join (select 0 as step union all select 1 union all select -1) as o
"""
_MATCHES = f"""
    select p.step, count(*) as n
    from pairs as p
    inner join ({current_rows("ratings", "user_id, movie_id")}) as r on r.user_id = p.other_id and r.movie_id = p.movie_id
    group by p.step
"""
_MATCHED = """
    select
        count(*) as n,
        (select coalesce(sum(n), 0) from matches where step = 0) as as_is,
        (select coalesce(max(n), 0) from matches where step != 0) as shifted
    from pairs where step = 0
"""


def _replaced(state: State) -> bool:
    return state.replaces("tags", "ratings")


SUITES = (
    Suite(
        relation="raw.tags",
        stage="raw",
        when=lambda state: state.brings("tags"),
        ctes=(("signs", _SIGNS), ("total", _TOTAL), ("lengths", _LENGTHS), ("cut", _CUT), ("copied", _COPIES)),
        measures=(
            Measure(
                name="tag_length",
                title="Mean length of a tag",
                unit="characters",
                sql=value("mean_letters", "total", "n", "n >= 100"),
                error=Band(2, 60),
                warn=Band(5, 25),
                why="10 to 13 in the releases; judged from 100 tags on.",
            ),
            Measure(
                name="tags_are_not_cut",
                title="Tags that are as long as the longest",
                unit="share",
                sql=value(
                    "at_most_letters / nullif(cast(n as double), 0)",
                    "cut",
                    "n",
                    "n >= 100 and lengths >= 4 and at_most_letters > 2 * one_less",
                ),
                error=at_most(0.05),
                why="Under 1 %: lengths run out slowly. When many share the greatest length, tags were cut there.",
            ),
            Measure(
                name="tags_are_not_blank",
                title="Blank tags",
                unit="share",
                sql=examples(_ROW, "signs as t", "t.blank = 1", "blank_share", "blank", "total"),
                error=at_most(0.1),
                warn=at_most(0.02),
                evidence=20,
                why="Up to 1 % in the releases; staging leaves them out.",
            ),
            Measure(
                name="tags_are_readable",
                title="Tags with broken or control characters",
                unit="share",
                sql=examples(_ROW, "signs as t", "t.weird = 1", "weird_share", "weird", "total"),
                error=at_most(0.01),
                warn=NONE,
                evidence=10,
                why="Was UTF-8 read as another encoding?",
            ),
            Measure(
                name="not_before_1995",
                title="Tags from before MovieLens opened in 1995",
                unit="share",
                sql=examples(_ROW, "signs as t", "t.too_old = 1", "too_old_share", "too_old", "total"),
                error=at_most(0.001),
                warn=NONE,
                evidence=20,
                why="Are milliseconds taken for seconds, or the other way round?",
            ),
            Measure(
                name="not_after_as_of",
                title="Tags from more than a day after the batch's as_of",
                unit="share",
                sql=examples(_ROW, "signs as t", "t.too_new = 1", "too_new_share", "too_new_evidence", "total"),
                error=at_most(0.001),
                warn=NONE,
                evidence=20,
                why="A batch cannot know what comes after it. A delta only warns.",
            ),
            Measure(
                name="movies_are_known",
                title="Tags of movies that movies.csv does not list",
                unit="share",
                sql=examples(_ROW, "signs as t", "t.orphan = 1", "orphan_share", "orphan", "total"),
                error=at_most(0.01),
                warn=NONE,
                evidence=100,
                why="None in any release.",
            ),
            Measure(
                name="no_copies",
                title="Tags that are exact copies of another line",
                unit="share",
                sql=value("share", "copied", "copies", "copies > 0"),
                error=at_most(0.01),
                warn=NONE,
                evidence=20,
                why="A part or a file was appended twice.",
            ),
        ),
    ),
    Suite(
        relation="raw.tags",
        about="and ratings",
        stage="raw",
        when=_replaced,
        ctes=(("pairs", _PAIRS), ("matches", _MATCHES), ("matched", _MATCHED)),
        measures=(
            Measure(
                name="users_are_not_shifted",
                title="Tagged movies that the tag's user rated, against those that the next user id rated",
                unit="times",
                sql=value("shifted / nullif(cast(as_is as double), 0)", "matched", "shifted", "shifted > 0.2 * n"),
                error=at_most(1),
                evidence=20,
                why="Many tag what they rate: the ids of one file are shifted against the other's.",
            ),
            Measure(
                name="users_rate_what_they_tag",
                title="Tagged movies that the same user rated",
                unit="share",
                sql=value("as_is / nullif(cast(n as double), 0)", "matched", "n", "n >= 100"),
                warn=Band(0.3, 1),
                why="60 % to 95 %: tags and ratings that disagree on users are of two data sets.",
            ),
        ),
    ),
)
