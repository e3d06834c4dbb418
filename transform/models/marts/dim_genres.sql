with

genres as (

    select
        genre,
        count(*) as movie_count
    from ({{ split_rows(ref('int_movies'), 'movie_id', 'genres', '|', 'genre') }}) as movie_genres
    group by genre

)

select
    {{ hash_key('genres.genre') }} as genre_id,
    genres.genre,
    coalesce(names.display_name, genres.genre) as display_name,
    coalesce(names.sort_order, 999) as sort_order,
    genres.movie_count
from genres
left join {{ ref('genre_names') }} as names
    on genres.genre = names.genre
