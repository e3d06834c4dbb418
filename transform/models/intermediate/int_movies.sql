with

movies as (

    select * from {{ ref('stg_movies') }}

),

latest as (

    {{ deduplicate('movies', 'movie_id', '_batch_id desc nulls last, _file desc nulls last, _row desc nulls last') }}

)

select
    movie_id,
    source_title,
    title,
    genres,
    release_year,
    _batch_id
from latest
