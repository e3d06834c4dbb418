select
    movie_id,
    imdb_id,
    tmdb_id,
    _batch,
    _part,
    _row
from {{ source('raw', 'links') }}
where {{ in_current_content('links') }}
