with

current_versions as (

    select
        movie_id,
        count(*) as versions
    from {{ ref('dim_movies_history') }}
    where is_current
    group by movie_id

)

select
    coalesce(movies.movie_id, current_versions.movie_id) as movie_id,
    coalesce(current_versions.versions, 0) as versions
from (select movie_id from {{ ref('dim_movies') }} where not is_inferred) as movies
full outer join current_versions
    on movies.movie_id = current_versions.movie_id
where movies.movie_id is null
    or current_versions.versions is null
    or current_versions.versions != 1
