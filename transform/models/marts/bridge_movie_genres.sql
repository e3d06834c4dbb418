select
    movie_id,
    {{ hash_key('genre') }} as genre_id
from ({{ split_rows(ref('int_movies'), 'movie_id', 'genres', '|', 'genre') }}) as movie_genres
