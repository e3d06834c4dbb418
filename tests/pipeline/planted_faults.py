"""Faults to plant: what goes wrong at a source, on the way or in a mart, as SQL on a copy of a built warehouse.

A fault of the source is planted in the rows of one batch (`{batch}`), before the ledger is written: nothing but the
content tells of it, and the checks find it. A fault of the warehouse is planted in relations that were built without
one, and dbt's tests find it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Where = Literal["source", "warehouse"]
MONTH = "strftime(make_timestamp(timestamp * 1000000), '%Y-%m') = '2008-04'"
OF_BATCH = "_batch = cast('{batch}' as integer)"


@dataclass(frozen=True)
class Fault:
    """A fault: its name, as the table has it; `where` it is planted; the `sql`."""

    name: str
    where: Where
    sql: str


def _shifted(table: str, column: str, by: str) -> str:
    """Each row gets the value of the row after it."""
    return (
        f"create temp table moved as select {by} as k, lead({column}) over (order by {by}) as v from raw.{table}"
        f" where {OF_BATCH}; update raw.{table} set {column} = coalesce(m.v, {column}) from moved as m"
        f" where {table}.{by} = m.k and {OF_BATCH}; drop table moved"
    )


FAULTS = (
    # ---------- ratings
    Fault(
        "half the ratings of one month are missing", "source",
        f"delete from raw.ratings where {OF_BATCH} and {MONTH} and mod(_row, 2) = 0",
    ),
    Fault(
        "ratings are shifted up by half a star", "source",
        f"update raw.ratings set rating = least(rating + 0.5, 5.0) where {OF_BATCH}",
    ),
    Fault(
        "ratings of one year are shifted down by half a star", "source",
        f"update raw.ratings set rating = greatest(rating - 0.5, 0.5) where {OF_BATCH}"
        " and year(make_timestamp(timestamp * 1000000)) = 2000",
    ),
    Fault("all ratings are 3.0", "source", f"update raw.ratings set rating = 3.0 where {OF_BATCH}"),
    Fault(
        "timestamps in milliseconds, taken as seconds", "source",
        f"update raw.ratings set timestamp = timestamp * 1000 where {OF_BATCH}",
    ),
    Fault(
        "timestamps in seconds, taken as milliseconds", "source",
        f"update raw.ratings set timestamp = timestamp // 1000 where {OF_BATCH}",
    ),
    Fault(
        "timestamps are in another time zone", "source",
        f"update raw.ratings set timestamp = timestamp - 25200 where {OF_BATCH}",
    ),
    Fault(
        "a hundred ratings are dated 2030", "source",
        f"update raw.ratings set timestamp = 1900000000 where {OF_BATCH} and _row <= 100",
    ),
    Fault(
        "a part of the ratings is doubled", "source",
        "insert into raw.ratings select * replace (_row + 1000000 as _row) from raw.ratings"
        f" where {OF_BATCH} and _row between 5000 and 9000",
    ),
    Fault(
        "a third of the ratings is missing", "source",
        f"delete from raw.ratings where {OF_BATCH} and _row > (select max(_row) * 2 / 3 from raw.ratings)",
    ),
    Fault("user ids of ratings are shifted by one", "source", f"update raw.ratings set user_id = user_id + 1 where {OF_BATCH}"),
    Fault(
        "user ids of half the ratings are shifted by one", "source",
        f"update raw.ratings set user_id = user_id + 1 where {OF_BATCH} and mod(_row, 2) = 0",
    ),
    Fault("all ratings are of one user", "source", f"update raw.ratings set user_id = 1 where {OF_BATCH}"),
    Fault("movie ids of ratings are shifted by one", "source", f"update raw.ratings set movie_id = movie_id + 1 where {OF_BATCH}"),
    # ---------- movies
    Fault("one genre is renamed", "source", f"update raw.movies set genres = replace(genres, 'Sci-Fi', 'SciFi') where {OF_BATCH}"),
    Fault(
        "one genre is swallowed by another", "source",
        f"update raw.movies set genres = replace(genres, 'Thriller', 'Drama') where {OF_BATCH}",
    ),
    Fault("genres are lost", "source", f"update raw.movies set genres = '(no genres listed)' where {OF_BATCH} and mod(_row, 3) > 0"),
    Fault("titles slipped by one row", "source", _shifted("movies", "title", "movie_id")),
    Fault(
        "titles were read as Latin-1", "source",
        f"update raw.movies set title = replace(replace(title, 'e', 'Ã©'), 'o', 'Ã¶') where {OF_BATCH} and mod(_row, 50) = 0",
    ),
    Fault(
        "years are cut off the titles", "source",
        f"update raw.movies set title = trim(regexp_replace(title, '[(][0-9]{{4}}[)]', '')) where {OF_BATCH}",
    ),
    Fault(
        "half the movies are missing", "source", f"delete from raw.movies where {OF_BATCH} and mod(_row, 2) = 0",
    ),
    # ---------- tags
    Fault("tags are cut after eight characters", "source", f"update raw.tags set tag = left(tag, 8) where {OF_BATCH}"),
    Fault("user ids of tags are shifted by one", "source", f"update raw.tags set user_id = user_id + 1 where {OF_BATCH}"),
    Fault("half the tags are missing", "source", f"delete from raw.tags where {OF_BATCH} and mod(_row, 2) = 0"),
    Fault(
        "tags hold control characters", "source",
        f"update raw.tags set tag = tag || chr(7) where {OF_BATCH} and mod(_row, 20) = 0",
    ),
    # ---------- links
    Fault(
        "IMDb ids lost their leading zeros", "source",
        f"update raw.links set imdb_id = ltrim(imdb_id, '0') where {OF_BATCH}",
    ),
    Fault("links slipped by one row", "source", _shifted("links", "imdb_id", "movie_id")),
    # ---------- genome
    Fault(
        "genome rows are missing for 50 movies", "source",
        f"delete from raw.genome_scores where {OF_BATCH} and movie_id in"
        f" (select movie_id from raw.genome_scores where {OF_BATCH} group by 1 order by 1 limit 50)",
    ),
    Fault(
        "a few genome scores are missing", "source",
        f"delete from raw.genome_scores where {OF_BATCH} and mod(_row, 500) = 0",
    ),
    Fault(
        "relevance is ten times too small", "source",
        f"update raw.genome_scores set relevance = relevance / 10 where {OF_BATCH}",
    ),
    Fault("genome tags slipped by one row", "source", _shifted("genome_tags", "tag", "tag_id")),
    # ---------- raw, after the load
    Fault("rows vanish from raw", "warehouse", f"delete from raw.ratings where {OF_BATCH} and _row between 100 and 110"),
    Fault("rows are added to raw by hand", "warehouse", f"insert into raw.tags select * from raw.tags where {OF_BATCH} limit 3"),
    Fault("a raw column changes its type", "warehouse", "alter table raw.ratings alter timestamp type varchar"),
    Fault("a rejected line is not kept", "warehouse", "update raw.load_ledger set rows_rejected = 1, rows_read = rows_read + 1 where batch_id = '{batch}' and table_name = 'tags'"),
    Fault("a batch takes effect before the one before it", "warehouse", "update raw.batches set effective_at = effective_at - interval 10 day where batch_id = '{batch}'"),
    Fault("a table of a batch is listed twice", "warehouse", "insert into raw.batches select * from raw.batches where table_name = 'links' limit 1"),
    Fault("a table of a batch is booked twice", "warehouse", "insert into raw.load_ledger select * from raw.load_ledger where table_name = 'links' limit 1"),
    Fault("a part is listed twice", "warehouse", "insert into raw.files select * from raw.files limit 1"),
    Fault("a table is neither whole nor a delta", "warehouse", "update raw.batches set mode = 'some' where batch_id = '{batch}' and table_name = 'tags'"),
    Fault("a batch is of another data set", "warehouse", "update raw.batches set dataset = 'other' where batch_id = '{batch}'"),
    Fault("the first batch has only a part of the movies", "warehouse", "update raw.batches set mode = 'delta' where batch_id = '000001' and table_name = 'movies'"),
    # ---------- marts
    Fault("ratings are lost on the way to the fact", "warehouse", "delete from marts.fact_ratings where mod(user_id, 40) = 3 and mod(movie_id, 7) = 0"),
    Fault("the fact keeps a rating that was changed", "warehouse", "update marts.fact_ratings set rating = case when rating = 3.0 then 4.0 else 3.0 end where user_id = 5"),
    Fault("the fact's times are an hour off", "warehouse", "update marts.fact_ratings set rated_at = rated_at + interval 1 hour"),
    Fault("a month of activity is lost", "warehouse", "delete from marts.user_activity where activity_month = date '2008-04-01'"),
    Fault("the means of movies are on another scale", "warehouse", "update marts.movie_ratings set rating_mean = rating_mean / 2 where rating_count > 10"),
    Fault("the bridge loses a genre of some movies", "warehouse", "delete from marts.bridge_movie_genres where mod(movie_id, 50) = 1"),
    Fault("tags are lost on the way to the fact", "warehouse", "delete from marts.fact_movie_tags where mod(movie_id, 5) = 0"),
    Fault("tags are not normalised", "warehouse", "update marts.dim_tags set tag = upper(tag) where length(tag) = 5"),
    Fault("scores of a movie are lost on the way to the fact", "warehouse", "delete from marts.fact_genome_scores where movie_id = (select min(movie_id) from marts.fact_genome_scores)"),
    Fault("a day is missing in the calendar", "warehouse", "delete from marts.dim_dates where date_day = date '2008-04-10'"),
    Fault("a version of history begins when no batch took effect", "warehouse", "update marts.dim_movies_history set valid_from = valid_from + interval 5 minute where movie_id = 10"),
    Fault("history drops a movie that no batch dropped", "warehouse", "update snapshots.snap_links set valid_to = valid_from + interval 1 hour where movie_id < 5"),
    Fault("history does not take up a change of links", "warehouse", "update intermediate.int_links set imdb_id = '0000001' where movie_id = 4"),
    Fault("staging filters what it should not", "warehouse", "create or replace view staging.stg_ratings as select user_id, movie_id, rating, make_timestamp(timestamp * 1000000) as rated_at, _batch, _part, _row from raw.ratings where rating > 0.5"),
    Fault("staging forgets what stood before a delta", "warehouse", """
        insert into raw.links
        select * replace (9 as _batch) from raw.links limit 5;
        insert into raw.batches
        select * replace ('000009' as batch_id, 'delta' as mode, as_of + interval 1 day as as_of)
        from raw.batches where batch_id = '000001' and table_name = 'links';
        insert into raw.load_ledger
        select * replace ('000009' as batch_id, 5 as rows_read, 5 as rows_loaded, 0 as rows_rejected)
        from raw.load_ledger where batch_id = '000001' and table_name = 'links';
        insert into ops.builds values ('000001', 'built', now());
        create or replace view staging.stg_links as
        select movie_id, imdb_id, tmdb_id, _batch, _part, _row
        from raw.links where _batch = 9
    """),
    Fault("a movie is missing in its summary", "warehouse", "delete from marts.movie_ratings where movie_id = (select max(movie_id) from marts.movie_ratings where rating_count = 0)"),
    Fault("a mean of stars is above 5", "warehouse", "update marts.movie_ratings set rating_mean = 5.5 where movie_id = (select min(movie_id) from marts.movie_ratings where rating_count > 0)"),
    Fault("the shares of stars are on another scale", "warehouse", "update marts.rating_distribution set share = 100 * share"),
    Fault("a month is of a genre that is not there", "warehouse", "update marts.genre_ratings_by_month set genre_id = 42 where genre = 'Drama' and rating_month = (select max(rating_month) from marts.genre_ratings_by_month)"),
    Fault("the bridge names a genre that is not there", "warehouse", "insert into marts.bridge_movie_genres select min(movie_id), 42 from marts.dim_movies"),
    Fault("the bridge names a movie that is not there", "warehouse", "insert into marts.bridge_movie_genres select max(movie_id) + 1, min(genre_id) from marts.bridge_movie_genres"),
    Fault("a movie is in the bridge under another genre", "warehouse", "update marts.bridge_movie_genres set genre_id = (select min(genre_id) from marts.dim_genres where genre != 'Drama') where movie_id = (select min(movie_id) from marts.dim_movies where genres = 'Drama')"),
    Fault("a genre counts a movie too many", "warehouse", "update marts.dim_genres set movie_count = movie_count + 1 where genre = 'Drama'"),
    Fault("a genre has two ids", "warehouse", "insert into marts.dim_genres select * replace (42 as genre_id) from marts.dim_genres limit 1"),
    Fault("a tag has two ids", "warehouse", "insert into marts.dim_tags select * replace (42 as tag_id, null as genome_tag_id, 0 as use_count) from marts.dim_tags limit 1"),
    Fault("two tags are one of the genome", "warehouse", "update marts.dim_tags set genome_tag_id = 1 where genome_tag_id = 2"),
    Fault("a score is of a tag that is not there", "warehouse", "update marts.fact_genome_scores set tag_id = 42 where movie_id = (select min(movie_id) from marts.fact_genome_scores) and relevance < 0.1"),
    Fault("a version of a tag has no key", "warehouse", "update snapshots.snap_tags set tag_id = null where movie_id = (select min(movie_id) from snapshots.snap_tags)"),
    Fault("a version of a movie is there twice", "warehouse", "insert into snapshots.snap_movies select * from snapshots.snap_movies limit 1"),
    # ---------- what dbt's own tests are for
    Fault("a rating is in the fact twice", "warehouse", "insert into marts.fact_ratings select * from marts.fact_ratings limit 1"),
    Fault("a rating is no half star", "warehouse", "update marts.fact_ratings set rating = 3.3 where user_id = 7"),
    Fault("a relevance is above 1", "warehouse", "update marts.fact_genome_scores set relevance = 1.7 where movie_id < 10"),
    Fault("a movie is from the year 1500", "warehouse", "update marts.dim_movies set release_year = 1500 where movie_id = 3"),
    Fault("a rating is of a movie that is not there", "warehouse", "delete from marts.dim_movies where movie_id = 9"),
    Fault("a rating is of a user that is not there", "warehouse", "delete from marts.dim_users where user_id = 9"),
    Fault("a user that the source lists is not there", "warehouse", "insert into intermediate.int_users (user_id) values (999999)"),
    Fault("a user has another's count of ratings", "warehouse", "update marts.dim_users set rating_count = (select max(rating_count) + min(rating_count) from marts.dim_users) - rating_count where rating_count in (select max(rating_count) from marts.dim_users union select min(rating_count) from marts.dim_users)"),
    Fault("a user's activity is of another month", "warehouse", "update marts.user_activity set activity_month = activity_month - interval 1 month where user_id = 5"),
    Fault("two versions of a movie overlap", "warehouse", "insert into marts.dim_movies_history select * replace (valid_from + interval 1 minute as valid_from) from marts.dim_movies_history where movie_id = 2"),
    Fault("a movie has no current version", "warehouse", "update marts.dim_movies_history set is_current = false, valid_to = valid_from + interval 1 day where movie_id = 4"),
    Fault("a version of a movie has another title in the mart", "warehouse", "update marts.dim_movies_history set source_title = 'Untitled' where movie_id = 4"),
    Fault("versions of a movie are not numbered from 1", "warehouse", "update marts.dim_movies_history set version = version + 1 where movie_id = 4"),
    Fault("a version of a movie equals the one before it", "warehouse", """
        update snapshots.snap_movies
        set valid_to = (select max(effective_at) from raw.batches) where movie_id = 4;
        insert into snapshots.snap_movies
        select * replace (valid_to as valid_from, null as valid_to) from snapshots.snap_movies where movie_id = 4;
        update marts.dim_movies_history
        set valid_to = (select max(effective_at) from raw.batches), is_current = false where movie_id = 4;
        insert into marts.dim_movies_history
        select * replace (valid_to as valid_from, null as valid_to, 2 as version, true as is_current)
        from marts.dim_movies_history where movie_id = 4
    """),
    Fault("a delta ends a movie's history", "warehouse", """
        update raw.batches set mode = 'delta' where batch_id = '{batch}';
        update snapshots.snap_movies
        set valid_to = (select max(effective_at) from raw.batches) where movie_id = 4;
        update marts.dim_movies_history
        set valid_to = (select max(effective_at) from raw.batches), is_current = false where movie_id = 4;
        delete from intermediate.int_movies where movie_id = 4
    """),
    Fault("a line is neither loaded nor rejected", "warehouse", "update raw.load_ledger set rows_read = rows_read + 1 where table_name = 'movies'"),
)  # fmt: skip
