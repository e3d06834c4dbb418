-- The bridge has each genre of each movie, and dim_genres counts what the movies list.
with

movies as (

    select * from {{ ref('dim_movies') }}

),

listed as (

    {{ split_rows('movies', 'movie_id', 'genres', '|', 'genre') }}

),

bridged as (

    select
        bridge.movie_id,
        genres.genre
    from {{ ref('bridge_movie_genres') }} as bridge
    inner join {{ ref('dim_genres') }} as genres
        on bridge.genre_id = genres.genre_id

),

counted as (

    select
        genre,
        count(*) as movie_count
    from listed
    group by genre

)

{{ differences('listed', 'bridged', 'genre, movie_id') }}
union all
{{ differences('counted', ref('dim_genres'), 'genre, movie_count') }}
