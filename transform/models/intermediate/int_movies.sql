select
    movie_id,
    source_title,
    title,
    genres,
    release_year,
    _batch
from ({{ latest(ref('stg_movies'), 'movie_id') }}) as latest
