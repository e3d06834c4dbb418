with

counted as (

    select
        rating,
        count(*) as rating_count
    from {{ ref('fact_ratings') }}
    group by rating

)

select
    scale.rating,
    scale.label,
    cast(coalesce(counted.rating_count, 0) as integer) as rating_count,
    {{ mean('coalesce(counted.rating_count, 0)', 'sum(counted.rating_count) over ()') }} as share
from {{ ref('rating_scale') }} as scale
left join counted
    on scale.rating = counted.rating
