with

movies as (

    select * from {{ ref('int_movies') }}

),

movie_genres as (

    {{ split_rows('movies', 'movie_id', 'genres', '|', 'genre') }}

),

genres as (

    select
        genre,
        count(*) as movie_count
    from movie_genres
    group by genre

),

names as (

    select * from {{ ref('genre_names') }}

)

select
    {{ hash_key('genres.genre') }} as genre_id,
    genres.genre,
    coalesce(names.display_name, genres.genre) as display_name,
    coalesce(names.sort_order, 999) as sort_order,
    genres.movie_count
from genres
left join names
    on genres.genre = names.genre
