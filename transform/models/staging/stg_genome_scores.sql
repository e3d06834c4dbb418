select
    movie_id,
    tag_id as genome_tag_id,
    relevance,
    _batch,
    _part,
    _row
from {{ source('raw', 'genome_scores') }}
where {{ in_current_content('genome_scores') }}
