"""`python -m tests.bench.handwritten FOLDER FILE`: six CSV files to the same marts and checks, in plain DuckDB.

What one would write who needs the marts once: no landing, no lineage, no history, no quarantine, no increments. It
keeps to the marts' definitions, so that its time is that of the same work.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import duckdb

SPACE = "[[:space:]\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]"
YEAR = f"{SPACE}*[(](1[89][0-9][0-9]|20[0-9][0-9])([-–—]{SPACE}*([0-9]{{4}})?)?{SPACE}*[)]+{SPACE}*$"
STRIP = f"^{SPACE}+|{SPACE}+$"
TAG = f"nullif(nfc_normalize(lower(regexp_replace(regexp_replace(tag, '{SPACE}+', ' ', 'g'), '{STRIP}', '', 'g'))), '')"
KEY = "cast('0x' || left(md5({}), 15) as bigint)"
MEAN = "cast(cast({} as double) / nullif({}, 0) as decimal(9, 4))"

READ = {
    "movies": "{'movieId': 'integer', 'title': 'varchar', 'genres': 'varchar'}",
    "ratings": "{'userId': 'integer', 'movieId': 'integer', 'rating': 'decimal(2, 1)', 'timestamp': 'bigint'}",
    "tags": "{'userId': 'integer', 'movieId': 'integer', 'tag': 'varchar', 'timestamp': 'bigint'}",
    "links": "{'movieId': 'integer', 'imdbId': 'varchar', 'tmdbId': 'integer'}",
    "genome-scores": "{'movieId': 'integer', 'tagId': 'integer', 'relevance': 'double'}",
    "genome-tags": "{'tagId': 'integer', 'tag': 'varchar'}",
}

MARTS = f"""
create table dim_movies as
select movieId as movie_id, coalesce(nullif(regexp_replace(regexp_replace(title, '{YEAR}', ''), '{STRIP}', '', 'g'), ''), title) as title,
    title as source_title, try_cast(regexp_extract(title, '{YEAR}', 1) as integer) as release_year,
    nullif(genres, '(no genres listed)') as genres, imdbId as imdb_id, tmdbId as tmdb_id
from movies left join links using (movieId);

create table bridge_movie_genres as
select distinct movie_id, {KEY.format("genre")} as genre_id, genre
from (select movie_id, unnest(string_split(genres, '|')) as genre from dim_movies) where genre != '';

create table dim_genres as select genre_id, genre, count(*) as movie_count from bridge_movie_genres group by all;

create table fact_ratings as
select userId as user_id, movieId as movie_id, rating, make_timestamp(timestamp * 1000000) as rated_at
from ratings semi join dim_movies on movieId = movie_id
qualify row_number() over (partition by userId, movieId order by timestamp desc) = 1;

create table fact_movie_tags as
select userId as user_id, movieId as movie_id, {KEY.format(TAG)} as tag_id, {TAG} as tag, make_timestamp(timestamp * 1000000) as tagged_at
from tags semi join dim_movies on movieId = movie_id where {TAG} is not null
qualify row_number() over (partition by userId, movieId, {TAG} order by timestamp desc) = 1;

create table dim_tags as
select {KEY.format("tag")} as tag_id, tag, min(genome_tag_id) as genome_tag_id, sum(uses) as use_count
from (
    select tag, null as genome_tag_id, count(*) as uses from fact_movie_tags group by tag
    union all select {TAG}, tagId, 0 from "genome-tags"
) group by tag;

create table fact_genome_scores as
select movieId as movie_id, tag_id, relevance
from "genome-scores" join dim_tags on tagId = genome_tag_id semi join dim_movies on movieId = movie_id;

create table user_activity as
select user_id, date_trunc('month', active_at)::date as activity_month, sum(ratings)::integer as rating_count,
    {MEAN.format("sum(rating)", "sum(ratings)")} as rating_mean, sum(tags)::integer as tag_count,
    min(active_at) as first_activity_at, max(active_at) as last_activity_at
from (
    select user_id, rated_at as active_at, rating, 1 as ratings, 0 as tags from fact_ratings
    union all select user_id, tagged_at, null, 0, 1 from fact_movie_tags
) group by all;

create table dim_users as
select user_id, min(first_activity_at) as first_activity_at, max(last_activity_at) as last_activity_at,
    sum(rating_count)::integer as rating_count, sum(tag_count)::integer as tag_count
from user_activity group by user_id;

create table dim_dates as
select unnest(generate_series(
    (select min(first_activity_at)::date from dim_users), (select max(last_activity_at)::date from dim_users), interval 1 day
))::date as date_day;

create table movie_months as
select movie_id, date_trunc('month', rated_at)::date as rating_month, count(*) as rating_count, sum(rating) as rating_sum,
    min(rated_at) as first_rated_at, max(rated_at) as last_rated_at
from fact_ratings group by all;

create table movie_ratings as
with totals as (
    select movie_id, sum(rating_count) as rating_count, sum(rating_sum) as rating_sum, min(first_rated_at) as first_rated_at,
        max(last_rated_at) as last_rated_at
    from movie_months group by movie_id
), overall as (select sum(rating_sum)::double / sum(rating_count) as mean from totals)
select movie_id, title, release_year, coalesce(rating_count, 0) as rating_count, {MEAN.format("rating_sum", "rating_count")} as rating_mean,
    {MEAN.format("coalesce(rating_sum, 0) + 50 * mean", "coalesce(rating_count, 0) + 50")} as bayesian_score, first_rated_at, last_rated_at
from dim_movies cross join overall left join totals using (movie_id);

create table genre_ratings_by_month as
select genre_id, genre, rating_month, sum(rating_count)::integer as rating_count, {MEAN.format("sum(rating_sum)", "sum(rating_count)")} as rating_mean
from movie_months join bridge_movie_genres using (movie_id) group by all;

create table rating_distribution as select rating, count(*) as rating_count from fact_ratings group by rating;
"""

# The checks that the project makes on its facts: keys, references, domains, sums.
CHECKS = """
select count(*) from (select user_id, movie_id from fact_ratings group by all having count(*) > 1);
select count(*) from (select movie_id, tag_id from fact_genome_scores group by all having count(*) > 1);
select count(*) from (select user_id, movie_id, tag_id from fact_movie_tags group by all having count(*) > 1);
select count(*) from (select movie_id from dim_movies group by all having count(*) > 1);
select count(*) from (select user_id from dim_users group by all having count(*) > 1);
select count(*) from (select tag_id from dim_tags group by all having count(*) > 1);
select count(*) from fact_ratings where user_id is null or movie_id is null or rating is null or rated_at is null;
select count(*) from fact_ratings where rating not between 0.5 and 5.0 or rating * 2 != round(rating * 2);
select count(*) from fact_genome_scores where relevance is null or relevance not between 0 and 1;
select count(*) from fact_ratings anti join dim_movies using (movie_id);
select count(*) from fact_ratings anti join dim_users using (user_id);
select count(*) from fact_genome_scores anti join dim_movies using (movie_id);
select count(*) from fact_genome_scores anti join dim_tags using (tag_id);
select count(*) from fact_movie_tags anti join dim_tags using (tag_id);
select (select count(*) from fact_ratings) - (select sum(rating_count) from dim_users);
select (select count(*) from fact_ratings) - (select sum(rating_count) from movie_ratings);
"""


def main(folder: Path, file: Path) -> None:
    """Builds the marts from the CSV files of a folder into a new DuckDB file, and checks them."""
    file.unlink(missing_ok=True)
    with duckdb.connect(str(file)) as warehouse:
        warehouse.execute("set memory_limit = '4GB'")
        for step, script in (("read", _reading(folder)), ("marts", MARTS)):
            started = time.monotonic()
            warehouse.execute(script)
            print(f"{step} {time.monotonic() - started:.1f} s", flush=True)
        started = time.monotonic()
        for check in filter(str.strip, CHECKS.split(";")):
            ((wrong,),) = warehouse.execute(check).fetchall()
            if wrong:
                sys.exit(f"{wrong} rows fail {check.strip()}")
        print(f"checks {time.monotonic() - started:.1f} s", flush=True)


def _reading(folder: Path) -> str:
    return "".join(
        f"create table \"{table}\" as select * from read_csv('{folder / table}.csv', columns = {columns}, header = true, "
        "quote = '\"', escape = '\"', auto_detect = false);"
        for table, columns in READ.items()
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
