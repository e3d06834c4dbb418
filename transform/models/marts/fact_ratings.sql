{{ config(
    materialized='incremental',
    unique_key=['user_id', 'movie_id'],
    meta={'replaced_by': ['ratings']}
) }}

{%- set is_increment = is_incremental() %}

with

ratings as (

    select * from {{ ref('stg_ratings') }}
    {% if is_increment %}
        where {{ new_rows() }}
    {% endif %}

),

{% if is_increment %}
-- A new rating may be older than the one that is held for its user and movie: it came late.
new_and_held as (

    select * from ratings

    union all

    select
        held.user_id,
        held.movie_id,
        held.rating,
        held.rated_at,
        held._batch,
        0 as _part,
        0 as _row
    from {{ this }} as held
    inner join (select distinct user_id, movie_id from ratings) as new_keys
        on held.user_id = new_keys.user_id
        and held.movie_id = new_keys.movie_id

),
{% endif %}

latest as (

    {{ latest('new_and_held' if is_increment else 'ratings', 'user_id, movie_id', event_time='rated_at') }}

)

select
    user_id,
    movie_id,
    rating,
    rated_at,
    _batch
from latest
