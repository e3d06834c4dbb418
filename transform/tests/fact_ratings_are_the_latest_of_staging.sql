-- Every value is compared; above 2 million ratings, those of a sample of users.
with

staged as (

    select
        user_id,
        movie_id,
        rating,
        rated_at
    from {{ ref('stg_ratings') }}
    where {{ in_sample('ratings', 'user_id') }}
    qualify row_number() over (
        partition by user_id, movie_id
        order by rated_at desc nulls last, _batch desc nulls last, _part desc nulls last, _row desc nulls last
    ) = 1

),

ratings as (

    select * from {{ ref('fact_ratings') }}
    where {{ in_sample('ratings', 'user_id') }}

)

select
    coalesce(staged.user_id, ratings.user_id) as user_id,
    coalesce(staged.movie_id, ratings.movie_id) as movie_id,
    staged.rating as rating_in_staging,
    ratings.rating as rating_in_fact,
    staged.rated_at as rated_at_in_staging,
    ratings.rated_at as rated_at_in_fact
from staged
full outer join ratings
    on staged.user_id = ratings.user_id
    and staged.movie_id = ratings.movie_id
where staged.user_id is null
    or ratings.user_id is null
    or staged.rating != ratings.rating
    or staged.rated_at != ratings.rated_at
