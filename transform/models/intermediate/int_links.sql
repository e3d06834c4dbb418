with

links as (

    select * from {{ ref('stg_links') }}

),

latest as (

    {{ latest('links', 'movie_id') }}

)

select
    movie_id,
    imdb_id,
    tmdb_id
from latest
