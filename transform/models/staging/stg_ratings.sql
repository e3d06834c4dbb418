select
    user_id,
    movie_id,
    rating,
    {{ epoch_to_timestamp('timestamp') }} as rated_at,
    _batch,
    _part,
    _row
from {{ source('raw', 'ratings') }}
where {{ in_current_content('ratings') }}
