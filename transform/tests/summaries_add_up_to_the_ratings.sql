-- Each summary has as many ratings and stars as the fact; by genre, a rating counts once for each genre of its movie.
-- Means have four digits, hence the tolerance. Of rating_distribution, only stars with their right count and share add up.
{%- set ratings_and_stars = 'sum(rating_count) as ratings, sum(cast(rating_mean as double) * rating_count) as stars' %}

with

by_star as (

    select
        rating,
        count(*) as rating_count,
        {{ mean('count(*)', 'sum(count(*)) over ()') }} as share
    from {{ ref('fact_ratings') }}
    group by rating

),

totals as (

    select 'all' as counted, 'fact_ratings' as relation, sum(rating_count) as ratings, sum(rating * rating_count) as stars
    from by_star
    union all
    select 'all' as counted, 'movie_ratings' as relation, {{ ratings_and_stars }}
    from {{ ref('movie_ratings') }}
    union all
    select 'all' as counted, 'user_activity' as relation, {{ ratings_and_stars }}
    from {{ ref('user_activity') }}
    union all
    select 'all' as counted, 'rating_distribution' as relation, sum(rating_count) as ratings, sum(rating * rating_count) as stars
    from {{ ref('rating_distribution') }} inner join by_star using (rating, rating_count, share)
    union all
    select 'by genre' as counted, 'movie_ratings' as relation, {{ ratings_and_stars }}
    from {{ ref('movie_ratings') }} inner join {{ ref('bridge_movie_genres') }} using (movie_id)
    union all
    select 'by genre' as counted, 'genre_ratings_by_month' as relation, {{ ratings_and_stars }}
    from {{ ref('genre_ratings_by_month') }} inner join {{ ref('dim_genres') }} using (genre_id, genre)

)

select * from totals
qualify min(coalesce(ratings, 0)) over (partition by counted) != max(coalesce(ratings, 0)) over (partition by counted)
    or min(stars) over (partition by counted) < 0.9999 * max(stars) over (partition by counted)
