{%- set new_ratings = unprofiled_rows('ratings') -%}
{%- set in_sample = in_sample('ratings', 'user_id') -%}
{%- set kept = 'count(case when before.user_id = after.user_id then 1 end)' -%}

with

batches as ({{ unprofiled_batches('ratings', rows_as='ratings') }}),

listed as ({{ keys_held('movies', 'movie_id') }}),

---------- what the batch brought

-- Second 788918400 is 1 January 1995, when there was no MovieLens yet; 1045526400 is 18 February 2003, with the first
-- half star.
totals as (

    select
        ratings._batch,
        avg(cast(rating as double)) as mean_rating,
        stddev_pop(cast(rating as double)) as stddev_rating,
        {{ share_where('rating = floor(rating)') }} as whole_star_share,
        count(case when timestamp < 1045526400 and rating != floor(rating) then 1 end) as half_stars_before_2003,
        {{ share('half_stars_before_2003', 'count(case when timestamp < 1045526400 then 1 end)') }}
            as half_star_share_before_2003,
        {{ count_and_share('timestamp < 788918400', 'ratings_before_1995', 'share_before_1995') }},
        {{ count_and_share('timestamp >= 86400 * (last_day + 2)', 'ratings_after_as_of', 'share_after_as_of') }},
        max(timestamp) as newest_timestamp,
        max(last_day) - cast(floor(max(timestamp) / 86400) as bigint) as newest_rating_age_days
    from ({{ new_ratings }}) as ratings
    inner join (select _batch, datediff('day', cast('1970-01-01' as datetime), as_of) as last_day from batches) as days
        on ratings._batch = days._batch
    group by ratings._batch

),

users as (

    select
        _batch,
        count(*) as users,
        cast(min(user_id) as bigint) as least_user_id,
        cast(max(user_id) as bigint) as greatest_user_id,
        {{ share('max(user_id)', 'count(*)') }} as ids_per_user,
        {{ share_where('ratings < 20') }} as share_of_users_with_few_ratings,
        {{ share('sum(ratings)', 'count(*)') }} as ratings_per_user
    from (
        select _batch, user_id, count(*) as ratings from ({{ new_ratings }}) as ratings
        group by 1, 2
    ) as by_user
    group by _batch

),

movies as (

    select
        by_movie._batch,
        count(*) as movies,
        cast(sum(case when listed.movie_id is null then by_movie.ratings else 0 end) as bigint) as ratings_of_unlisted_movies,
        {{ share('ratings_of_unlisted_movies', 'sum(by_movie.ratings)') }} as share_of_unlisted_movies,
        1 - {{ share('count(listed.movie_id)', 'max(catalogue.movies)') }} as unrated_share
    from (
        select _batch, movie_id, count(*) as ratings from ({{ new_ratings }}) as ratings
        group by 1, 2
    ) as by_movie
    left join (select _batch, count(*) as movies from listed group by _batch) as catalogue
        on by_movie._batch = catalogue._batch
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
        select _batch, user_id, movie_id, rating, timestamp, count(*) as copies from ({{ new_ratings }}) as ratings
        where {{ in_sample }}
        group by 1, 2, 3, 4, 5
    ) as lines
    group by 1, 2, 3

),

repeated as (

    select
        _batch,
        cast(sum(ratings - versions) as bigint) as copied_ratings,
        {{ share('copied_ratings', 'sum(ratings)') }} as copied_share,
        cast(sum(versions - 1) as bigint) as rerated_movies,
        {{ share('rerated_movies', 'sum(ratings)') }} as rerated_share
    from pairs
    group by _batch

),

---------- what a full batch does to the ratings that it replaces

before as ({{ rows_before(
    'ratings', 'user_id, movie_id', event_time='timestamp', where="content.mode = 'full' and " ~ in_sample
) }}),

replacing as (

    select * from ({{ new_ratings }}) as ratings
    where _batch in (select _batch from before)
        and {{ in_sample }}

),

after as ({{ latest('replacing', '_batch, user_id, movie_id', event_time='timestamp') }}),

changes as (

    select
        coalesce(before._batch, after._batch) as _batch,
        count(before.user_id) as ratings_before,
        {{ share('count(after.user_id)', 'count(before.user_id)') }} as ratings_multiple,
        count(distinct before.user_id) as users_before,
        {{ share('count(distinct after.user_id)', 'count(distinct before.user_id)') }} as users_multiple,
        {{ share(kept, 'count(before.user_id)') }} as kept_share,
        {{ share(kept, 'least(count(before.user_id), count(after.user_id))') }} as overlap,
        avg(cast(after.rating as double)) - avg(cast(before.rating as double)) as mean_rating_change,
        count(case when before.timestamp = after.timestamp and before.rating != after.rating then 1 end)
            as regraded_ratings,
        {{ share('regraded_ratings', kept) }} as regraded_share,
        count(case when before.timestamp != after.timestamp and before.rating = after.rating then 1 end)
            as moved_ratings,
        {{ share('moved_ratings', kept) }} as moved_share
    from before
    full outer join after
        on before._batch = after._batch
        and before.user_id = after.user_id
        and before.movie_id = after.movie_id
    group by 1

),

-- Who left took all of their ratings with them, and a month of a small release may be one person's.
both_sides as (

    select
        _batch,
        {{ first_of_month(epoch_to_timestamp('least(timestamp, 4102444800)')) }} as rating_month,
        rating,
        sum(was_there) as ratings_before,
        sum(1 - was_there) as ratings_after
    from (
        select _batch, timestamp, rating, 1 as was_there from before
        inner join (select distinct _batch, user_id from after) as users_after using (_batch, user_id)
        union all
        select _batch, timestamp, rating, 0 as was_there from after
    ) as ratings
    group by 1, 2, 3

),

star_changes as (

    select
        _batch,
        max(abs(share_after - share_before)) as star_change
    from (
        select
            _batch,
            {{ share('sum(ratings_before)', 'sum(sum(ratings_before)) over (partition by _batch)') }} as share_before,
            {{ share('sum(ratings_after)', 'sum(sum(ratings_after)) over (partition by _batch)') }} as share_after
        from both_sides
        group by _batch, rating
    ) as stars
    group by _batch

),

worst_months as (

    select
        _batch,
        max(case when place = 1 and ratings_before >= 100 then rating_month end) as least_month,
        min(case when ratings_before >= 100 then multiple end) as least_month_multiple,
        min(case when ratings_before between 20 and 99 then multiple end) as least_small_month_multiple
    from (
        select
            _batch,
            rating_month,
            sum(ratings_before) as ratings_before,
            {{ share('sum(ratings_after)', 'sum(ratings_before)') }} as multiple,
            row_number() over (
                partition by _batch
                order by
                    case when sum(ratings_before) >= 100 then 0 else 1 end,
                    {{ share('sum(ratings_after)', 'sum(ratings_before)') }},
                    rating_month
            ) as place
        from both_sides
        group by _batch, rating_month
    ) as months
    group by _batch

)

select *
from batches
left join totals using (_batch)
left join users using (_batch)
left join movies using (_batch)
left join repeated using (_batch)
left join changes using (_batch)
left join star_changes using (_batch)
left join worst_months using (_batch)
