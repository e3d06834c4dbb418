select
    user_id,
    gender,
    age,
    occupation,
    zip_code
from ({{ latest(ref('stg_users'), 'user_id') }}) as latest
