{% snapshot snap_users %}

{{ config(unique_key='user_id', check_cols=['gender', 'age', 'occupation', 'zip_code']) }}

select
    user_id,
    gender,
    age,
    occupation,
    zip_code
from ({{ latest(ref('stg_users'), 'user_id') }}) as latest

{% endsnapshot %}
