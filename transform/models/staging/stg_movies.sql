select
    movie_id,
    coalesce(title, '') as source_title,
    coalesce({{ title_text('title') }}, '') as title,
    nullif(nullif({{ strip('genres') }}, '(no genres listed)'), '') as genres,
    {{ title_year('title') }} as release_year,
    _batch,
    _part,
    _row
from {{ source('raw', 'movies') }}
where {{ in_current_content('movies') }}
