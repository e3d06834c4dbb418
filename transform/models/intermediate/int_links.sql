select
    movie_id,
    imdb_id,
    tmdb_id
from ({{ latest(ref('stg_links'), 'movie_id') }}) as latest
