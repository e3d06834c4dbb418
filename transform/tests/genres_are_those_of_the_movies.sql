-- The bridge has each genre of each movie and no other, and dim_genres counts what the movies list.
with

listed as (

    select
        *,
        {{ hash_key('genre') }} as genre_id,
        count(*) over (partition by genre) as movie_count
    from ({{ split_rows(ref('int_movies'), 'movie_id', 'genres', '|', 'genre') }}) as movie_genres

),

bridged as (

    select
        bridge.movie_id,
        genres.*
    from {{ ref('bridge_movie_genres') }} as bridge
    full outer join {{ ref('dim_genres') }} as genres
        on bridge.genre_id = genres.genre_id

)

{{ differences('listed', 'bridged', 'movie_id, genre_id, genre, movie_count') }}
