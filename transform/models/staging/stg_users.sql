select
    user_id,
    gender,
    age,
    occupation,
    zip_code,
    _batch,
    _part,
    _row
from {{ source('raw', 'users') }}
where {{ in_current_content('users') }}
