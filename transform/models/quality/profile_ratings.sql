{%- set new_ratings = unprofiled_rows('ratings') -%}
{%- set in_sample = in_sample('ratings', 'user_id') -%}

with

batches as (

    {{ unprofiled_batches('ratings') }}

),

by_day as (

    select
        _batch,
        rating,
        cast(floor(timestamp / 86400) as bigint) as day_number,
        count(*) as ratings
    from {{ new_ratings }} as new_ratings
    group by 1, 2, 3

),

by_star as (

    select
        _batch,
        rating,
        sum(ratings) as ratings
    from by_day
    group by 1, 2

),

-- Day 9131 is 1 January 1995, when there was no MovieLens yet; day 12101 is 18 February 2003, with the first half star.
totals as (

    select
        by_day._batch,
        sum(ratings) as ratings,
        sum(cast(rating as double) * ratings) / nullif(sum(ratings), 0) as mean_rating,
        sum(cast(rating as double) * rating * ratings) / nullif(sum(ratings), 0) as mean_square,
        sum(case when rating = floor(rating) then ratings else 0 end) as whole_stars,
        sum(case when day_number < 12101 then ratings else 0 end) as ratings_before_2003,
        sum(case when day_number < 12101 and rating != floor(rating) then ratings else 0 end) as half_stars_before_2003,
        sum(case when day_number < 9131 then ratings else 0 end) as ratings_before_1995,
        sum(case when day_number > datediff('day', cast('1970-01-01' as datetime), as_of) + 1 then ratings else 0 end)
            as ratings_after_as_of,
        max(datediff('day', cast('1970-01-01' as datetime), as_of)) - max(day_number) as newest_rating_age_days
    from by_day
    inner join batches
        on by_day._batch = batches._batch
    group by by_day._batch

),

star_distances as (

    select
        totals._batch,
        max(abs({{ share('coalesce(by_star.ratings, 0)', 'totals.ratings') }} - scale.usual_share)) as star_distance
    from totals
    cross join {{ ref('rating_scale') }} as scale
    left join by_star
        on totals._batch = by_star._batch
        and scale.rating = by_star.rating
    group by totals._batch

),

by_user as (

    select
        _batch,
        user_id,
        count(*) as ratings
    from {{ new_ratings }} as new_ratings
    group by 1, 2

),

users as (

    select
        _batch,
        count(*) as users,
        min(user_id) as least_user_id,
        max(user_id) as greatest_user_id,
        count(case when ratings < 20 then 1 end) as users_with_few_ratings
    from by_user
    group by _batch

),

listed as (

    {{ listed_movies() }}

),

movies as (

    select
        by_movie._batch,
        count(*) as movies,
        count(listed.movie_id) as listed_movies,
        sum(case when listed.movie_id is null then by_movie.ratings else 0 end) as ratings_of_unlisted_movies
    from (
        select
            _batch,
            movie_id,
            count(*) as ratings
        from {{ new_ratings }} as new_ratings
        group by 1, 2
    ) as by_movie
    left join listed
        on by_movie._batch = listed._batch
        and by_movie.movie_id = listed.movie_id
    group by by_movie._batch

),

-- How often each line of the sample is there, and with how many other stars or times.
pairs as (

    select
        _batch,
        user_id,
        movie_id,
        count(*) as versions,
        sum(copies) as ratings
    from (
        select
            _batch,
            user_id,
            movie_id,
            rating,
            timestamp,
            count(*) as copies
        from {{ new_ratings }} as new_ratings
        where {{ in_sample }}
        group by 1, 2, 3, 4, 5
    ) as lines
    group by 1, 2, 3

),

repeated as (

    select
        _batch,
        sum(ratings) as ratings_in_sample,
        sum(ratings - versions) as copied_ratings,
        sum(versions - 1) as rerated_movies
    from pairs
    group by _batch

)

select
    batches._batch,
    batches.batch_id,
    batches.as_of,
    batches.mode,
    cast(batches.rows_read as bigint) as rows_read,
    cast(batches.rows_rejected as bigint) as rows_rejected,
    {{ share('batches.rows_rejected', 'batches.rows_read') }} as rejected_share,
    cast(coalesce(totals.ratings, 0) as bigint) as ratings,
    cast(users.users as bigint) as users,
    cast(movies.movies as bigint) as movies,
    totals.mean_rating,
    sqrt(greatest(totals.mean_square - totals.mean_rating * totals.mean_rating, 0)) as stddev_rating,
    {{ share('totals.whole_stars', 'totals.ratings') }} as whole_star_share,
    cast(star_distances.star_distance as double) as star_distance,
    cast(totals.half_stars_before_2003 as bigint) as half_stars_before_2003,
    {{ share('totals.half_stars_before_2003', 'totals.ratings_before_2003') }} as half_star_share_before_2003,
    cast(totals.ratings_before_1995 as bigint) as ratings_before_1995,
    {{ share('totals.ratings_before_1995', 'totals.ratings') }} as share_before_1995,
    cast(totals.ratings_after_as_of as bigint) as ratings_after_as_of,
    {{ share('totals.ratings_after_as_of', 'totals.ratings') }} as share_after_as_of,
    cast(totals.newest_rating_age_days as bigint) as newest_rating_age_days,
    cast(users.least_user_id as bigint) as least_user_id,
    cast(users.greatest_user_id as bigint) as greatest_user_id,
    {{ share('users.greatest_user_id', 'users.users') }} as ids_per_user,
    {{ share('users.users_with_few_ratings', 'users.users') }} as share_of_users_with_few_ratings,
    {{ share('totals.ratings', 'users.users') }} as ratings_per_user,
    cast(movies.ratings_of_unlisted_movies as bigint) as ratings_of_unlisted_movies,
    {{ share('movies.ratings_of_unlisted_movies', 'totals.ratings') }} as share_of_unlisted_movies,
    1 - {{ share('movies.listed_movies', 'catalogue.movies') }} as unrated_share,
    cast(repeated.copied_ratings as bigint) as copied_ratings,
    {{ share('repeated.copied_ratings', 'repeated.ratings_in_sample') }} as copied_share,
    cast(repeated.rerated_movies as bigint) as rerated_movies,
    {{ share('repeated.rerated_movies', 'repeated.ratings_in_sample') }} as rerated_share
from batches
left join totals
    on batches._batch = totals._batch
left join star_distances
    on batches._batch = star_distances._batch
left join users
    on batches._batch = users._batch
left join movies
    on batches._batch = movies._batch
left join (select _batch, count(*) as movies from listed group by _batch) as catalogue
    on batches._batch = catalogue._batch
left join repeated
    on batches._batch = repeated._batch
