-- And so do the means between the least and the most stars.
with

overall as (

    select sum(rating_mean * rating_count) / nullif(sum(rating_count), 0) as rating_mean
    from {{ ref('movie_ratings') }}

)

select
    movies.movie_id,
    movies.rating_mean,
    movies.bayesian_score,
    overall.rating_mean as overall_mean
from {{ ref('movie_ratings') }} as movies
cross join overall
where movies.rating_count > 0
    and (
        coalesce(movies.rating_mean not between 0.5 and 5.0, true)
        or movies.bayesian_score > greatest(movies.rating_mean, overall.rating_mean) + 0.001
        or movies.bayesian_score < least(movies.rating_mean, overall.rating_mean) - 0.001
    )
