with

latest as (

    {{ latest(ref('stg_movies'), 'movie_id') }}

),

movies as (

    select * from {{ ref('dim_movies') }}
    where not is_inferred

)

{{ differences('latest', 'movies', 'movie_id, source_title, genres') }}
