with

versions as (

    select
        movie_id,
        valid_from,
        valid_to,
        lead(valid_from) over (partition by movie_id order by valid_from nulls first) as next_valid_from
    from {{ ref('dim_movies_history') }}

)

select *
from versions
where valid_to <= valid_from
    or (next_valid_from is not null and (valid_to is null or valid_to > next_valid_from))
