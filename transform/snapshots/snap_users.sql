{% snapshot snap_users %}

{{ config(unique_key='user_id', check_cols=['gender', 'age', 'occupation', 'zip_code']) }}

with

users as (

    select * from {{ ref('stg_users') }}

),

latest as (

    {{ latest('users', 'user_id') }}

)

select
    user_id,
    gender,
    age,
    occupation,
    zip_code
from latest

{% endsnapshot %}
