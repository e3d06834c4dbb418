{{ config(
    materialized='incremental',
    unique_key='user_id',
    meta={'replaced_by': ['ratings', 'tags']}
) }}

with

activity as (

    select
        user_id,
        rated_at as active_at,
        rating,
        _batch
    from {{ ref('fact_ratings') }}

    union all

    select
        user_id,
        tagged_at as active_at,
        null as rating,
        _batch
    from {{ ref('fact_movie_tags') }}

)

select
    user_id,
    {{ first_of_month('active_at') }} as activity_month,
    cast(count(rating) as integer) as rating_count,
    {{ mean('sum(rating)', 'count(rating)') }} as rating_mean,
    cast(count(*) - count(rating) as integer) as tag_count,
    min(active_at) as first_activity_at,
    max(active_at) as last_activity_at,
    max(_batch) as _batch
from activity
{% if is_incremental() %}
    {%- set is_new = new_rows() %}
    where user_id in (
        select user_id from {{ ref('fact_ratings') }} where {{ is_new }}
        union distinct
        select user_id from {{ ref('fact_movie_tags') }} where {{ is_new }}
    )
{% endif %}
group by 1, 2
