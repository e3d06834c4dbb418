{{ config(
    materialized='incremental',
    unique_key=['user_id', 'movie_id'],
    meta={'replaced_by': ['ratings']}
) }}

with

-- A new rating may be older than the one held for its user and movie, if it came late. So all of theirs are read again.
ratings as (

    select * from {{ ref('stg_ratings') }}
    {% if is_incremental() %}
        where (user_id, movie_id) in (select user_id, movie_id from {{ ref('stg_ratings') }} where {{ new_rows() }})
    {% endif %}

)

select
    user_id,
    movie_id,
    rating,
    rated_at,
    _batch
from ({{ latest('ratings', 'user_id, movie_id', event_time='rated_at') }}) as latest
