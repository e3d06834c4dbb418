{%- set prior = var('bayesian_prior_ratings') -%}

with

overall as (

    select {{ mean('sum(rating)', 'count(*)') }} as rating_mean
    from {{ ref('fact_ratings') }}

),

monthly as (

    select
        bridge.genre_id,
        ratings.rating_month,
        cast(count(*) as integer) as rating_count,
        sum(ratings.rating) as rating_sum
    from (
        select movie_id, rating, {{ first_of_month('rated_at') }} as rating_month from {{ ref('fact_ratings') }}
    ) as ratings
    inner join {{ ref('bridge_movie_genres') }} as bridge
        on ratings.movie_id = bridge.movie_id
    group by 1, 2

)

select
    monthly.genre_id,
    genres.genre,
    monthly.rating_month,
    monthly.rating_count,
    {{ mean('monthly.rating_sum', 'monthly.rating_count') }} as rating_mean,
    {{ mean(
        'monthly.rating_sum + ' ~ prior ~ ' * overall.rating_mean',
        'monthly.rating_count + ' ~ prior
    ) }} as bayesian_score
from monthly
cross join overall
inner join {{ ref('dim_genres') }} as genres
    on monthly.genre_id = genres.genre_id
