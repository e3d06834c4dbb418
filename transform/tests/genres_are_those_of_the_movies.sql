-- The bridge has each genre of each movie and no other, and dim_genres counts what the movies list.
with

listed as (

    select
        *,
        {{ hash_key('genre') }} as genre_id
    from ({{ split_rows(ref('int_movies'), 'movie_id', 'genres', '|', 'genre') }}) as movie_genres

),

bridged as (

    select
        bridge.movie_id,
        bridge.genre_id,
        genres.genre
    from {{ ref('bridge_movie_genres') }} as bridge
    left join {{ ref('dim_genres') }} as genres
        on bridge.genre_id = genres.genre_id

),

counted as (select genre_id, genre, count(*) as movie_count from listed group by 1, 2)

{{ differences('listed', 'bridged', 'genre_id, genre, movie_id') }}
union all
{{ differences('counted', ref('dim_genres'), 'genre_id, genre, movie_count') }}
