-- Time travel to now gives the current dimension.
with

now as (

    select * from {{ as_of('dim_movies_history', snapshot_get_time(), literal=false) }} as history

),

movies as (

    select * from {{ ref('dim_movies') }}
    where not is_inferred

)

{{ differences('now', 'movies', 'movie_id, source_title, genres') }}
