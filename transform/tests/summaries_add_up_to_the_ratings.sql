-- Every road from the fact to its size and to the sum of its stars. Means have four digits, hence the tolerance.
with

by_star as (

    select
        rating,
        count(*) as ratings
    from {{ ref('fact_ratings') }}
    group by rating

),

fact as (

    select
        coalesce(sum(ratings), 0) as ratings,
        coalesce(sum(cast(rating as double) * ratings), 0) as stars
    from by_star

),

genres_of_movies as (

    select
        coalesce(sum(movies.rating_count), 0) as ratings,
        coalesce(sum(cast(movies.rating_mean as double) * movies.rating_count), 0) as stars
    from {{ ref('movie_ratings') }} as movies
    inner join {{ ref('bridge_movie_genres') }} as bridge
        on movies.movie_id = bridge.movie_id

),

summaries as (

    select
        'movie_ratings' as summary,
        coalesce(sum(rating_count), 0) as ratings,
        coalesce(sum(cast(rating_mean as double) * rating_count), 0) as stars
    from {{ ref('movie_ratings') }}

    union all

    select
        'user_activity' as summary,
        coalesce(sum(rating_count), 0) as ratings,
        coalesce(sum(cast(rating_mean as double) * rating_count), 0) as stars
    from {{ ref('user_activity') }}

    union all

    select
        'rating_distribution' as summary,
        coalesce(sum(distribution.rating_count), 0) as ratings,
        coalesce(sum(cast(distribution.rating as double) * distribution.rating_count), 0) as stars
    from {{ ref('rating_distribution') }} as distribution
    left join by_star
        on distribution.rating = by_star.rating
    where distribution.rating_count = coalesce(by_star.ratings, 0)

)

select
    summaries.summary,
    summaries.ratings,
    fact.ratings as ratings_in_fact,
    summaries.stars,
    fact.stars as stars_in_fact
from summaries
cross join fact
where summaries.ratings != fact.ratings
    or abs(summaries.stars - fact.stars) > 0.0001 * fact.stars

union all

select
    'genre_ratings_by_month' as summary,
    monthly.ratings,
    genres_of_movies.ratings as ratings_in_fact,
    monthly.stars,
    genres_of_movies.stars as stars_in_fact
from (
    select
        coalesce(sum(rating_count), 0) as ratings,
        coalesce(sum(cast(rating_mean as double) * rating_count), 0) as stars
    from {{ ref('genre_ratings_by_month') }}
) as monthly
cross join genres_of_movies
where monthly.ratings != genres_of_movies.ratings
    or abs(monthly.stars - genres_of_movies.stars) > 0.0001 * genres_of_movies.stars
