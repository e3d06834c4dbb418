{%- set prior = var('bayesian_prior_ratings') -%}

with

movie_months as (

    select * from {{ ref('movie_ratings_by_month') }}

),

bridge as (

    select * from {{ ref('bridge_movie_genres') }}

),

genres as (

    select * from {{ ref('dim_genres') }}

),

overall as (

    select {{ mean('sum(rating_sum)', 'sum(rating_count)') }} as rating_mean
    from movie_months

),

monthly as (

    select
        bridge.genre_id,
        movie_months.rating_month,
        cast(sum(movie_months.rating_count) as integer) as rating_count,
        sum(movie_months.rating_sum) as rating_sum
    from movie_months
    inner join bridge
        on movie_months.movie_id = bridge.movie_id
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
inner join genres
    on monthly.genre_id = genres.genre_id
