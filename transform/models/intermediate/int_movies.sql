with

movies as (

    select * from {{ ref('stg_movies') }}

),

latest as (

    {{ latest('movies', 'movie_id') }}

)

select
    movie_id,
    source_title,
    title,
    genres,
    release_year,
    _batch
from latest
