select
    user_id,
    nullif(gender, '') as gender,
    age,
    nullif(occupation, '') as occupation,
    nullif(zip_code, '') as zip_code,
    _batch,
    _part,
    _row
from {{ source('raw', 'users') }}
where {{ in_current_content('users') }}
