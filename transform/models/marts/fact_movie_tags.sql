select
    user_id,
    movie_id,
    tag_id,
    tagged_at,
    _batch
from {{ ref('int_tags') }}
