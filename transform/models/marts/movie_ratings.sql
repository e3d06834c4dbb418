{%- set prior = var('bayesian_prior_ratings') -%}

with

totals as (

    select
        movie_id,
        cast(count(*) as integer) as rating_count,
        sum(rating) as rating_sum,
        min(rated_at) as first_rated_at,
        max(rated_at) as last_rated_at
    from {{ ref('fact_ratings') }}
    group by movie_id

),

overall as (

    select {{ mean('sum(rating_sum)', 'sum(rating_count)') }} as rating_mean
    from totals

)

select
    movies.movie_id,
    movies.title,
    movies.release_year,
    coalesce(totals.rating_count, 0) as rating_count,
    {{ mean('totals.rating_sum', 'totals.rating_count') }} as rating_mean,
    {{ mean(
        'coalesce(totals.rating_sum, 0) + ' ~ prior ~ ' * overall.rating_mean',
        'coalesce(totals.rating_count, 0) + ' ~ prior
    ) }} as bayesian_score,
    totals.first_rated_at,
    totals.last_rated_at
from {{ ref('dim_movies') }} as movies
cross join overall
left join totals
    on movies.movie_id = totals.movie_id
