{%- set new_ratings = unprofiled_rows('ratings') -%}

with

batches as ({{ unprofiled_batches('ratings', rows_as='ratings') }}),

listed as ({{ keys_held('movies', 'movie_id') }}),

by_day as (

    select
        _batch,
        rating,
        cast(floor(timestamp / 86400) as bigint) as day_number,
        count(*) as ratings
    from ({{ new_ratings }}) as ratings
    group by 1, 2, 3

),

-- Day 9131 is 1 January 1995, when there was no MovieLens yet; day 12101 is 18 February 2003, with the first half star.
totals as (

    select
        by_day._batch,
        {{ share('sum(rating * by_day.ratings)', 'sum(by_day.ratings)') }} as mean_rating,
        sqrt(greatest(
            {{ share('sum(rating * rating * by_day.ratings)', 'sum(by_day.ratings)') }} - mean_rating * mean_rating, 0
        )) as stddev_rating,
        {{ share('sum(case when rating = floor(rating) then by_day.ratings else 0 end)', 'sum(by_day.ratings)') }}
            as whole_star_share,
        cast(sum(case when day_number < 12101 and rating != floor(rating) then by_day.ratings else 0 end) as bigint)
            as half_stars_before_2003,
        {{ share('half_stars_before_2003', 'sum(case when day_number < 12101 then by_day.ratings end)') }}
            as half_star_share_before_2003,
        {{ count_and_share('day_number < 9131', 'ratings_before_1995', 'share_before_1995', weight='by_day.ratings') }},
        {{ count_and_share('day_number > last_day + 1', 'ratings_after_as_of', 'share_after_as_of', weight='by_day.ratings') }},
        max(last_day) - max(day_number) as newest_rating_age_days
    from by_day
    inner join (select _batch, datediff('day', cast('1970-01-01' as datetime), as_of) as last_day from batches) as days
        on by_day._batch = days._batch
    group by by_day._batch

),

stars as (

    select
        _batch,
        rating,
        {{ share('sum(ratings)', 'sum(sum(ratings)) over (partition by _batch)') }} as star_share
    from by_day
    group by 1, 2

),

-- ml-100k and ml-1m end in February 2003 (day 12111) and know whole stars alone.
usual_stars as (

    select
        batches_rated._batch,
        scale.rating,
        {{ share('scale.usual_share', 'sum(scale.usual_share) over (partition by batches_rated._batch)') }} as usual_share
    from (select _batch, max(day_number) as newest_day from by_day group by 1) as batches_rated
    inner join {{ ref('rating_scale') }} as scale
        on batches_rated.newest_day > 12111 or scale.rating = floor(scale.rating)

),

star_distances as (

    select
        usual_stars._batch,
        max(abs(coalesce(stars.star_share, 0) - usual_stars.usual_share)) as star_distance
    from usual_stars
    left join stars
        on usual_stars._batch = stars._batch
        and usual_stars.rating = stars.rating
    group by usual_stars._batch

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
        {{ count_and_share(
            'listed.movie_id is null', 'ratings_of_unlisted_movies', 'share_of_unlisted_movies', weight='by_movie.ratings'
        ) }},
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
        where {{ in_sample('ratings', 'user_id') }}
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

)

select *
from batches
left join totals using (_batch)
left join star_distances using (_batch)
left join users using (_batch)
left join movies using (_batch)
left join repeated using (_batch)
