with

ratings as (

    select * from {{ ref('fact_ratings') }}

)

select
    movie_id,
    {{ first_of_month('rated_at') }} as rating_month,
    cast(count(*) as integer) as rating_count,
    cast(sum(rating) as decimal(18, 1)) as rating_sum,
    min(rated_at) as first_rated_at,
    max(rated_at) as last_rated_at
from ratings
group by 1, 2
