with

links as (

    select * from {{ ref('stg_links') }}

),

latest as (

    {{ deduplicate('links', 'movie_id', '_batch_id desc nulls last, _file desc nulls last, _row desc nulls last') }}

)

select
    movie_id,
    imdb_id,
    tmdb_id
from latest
