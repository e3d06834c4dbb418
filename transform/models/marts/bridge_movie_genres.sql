with

movies as (

    select * from {{ ref('int_movies') }}

),

movie_genres as (

    {{ split_rows('movies', 'movie_id', 'genres', '|', 'genre') }}

)

select
    movie_id,
    {{ hash_key('genre') }} as genre_id
from movie_genres
