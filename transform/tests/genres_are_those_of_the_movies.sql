-- The bridge has each genre of each movie once, and dim_genres counts what the bridge has.
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
        count(*) as movies
    from listed
    group by genre

)

select
    coalesce(listed.movie_id, bridged.movie_id) as movie_id,
    coalesce(listed.genre, bridged.genre) as genre
from listed
full outer join bridged
    on listed.movie_id = bridged.movie_id
    and listed.genre = bridged.genre
where listed.movie_id is null or bridged.movie_id is null

union all

select
    null as movie_id,
    coalesce(genres.genre, counted.genre) as genre
from {{ ref('dim_genres') }} as genres
full outer join counted
    on genres.genre = counted.genre
where genres.movie_count is distinct from counted.movies
