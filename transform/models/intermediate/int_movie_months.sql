-- depends_on: {{ ref('stg_movies') }}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='movie_id',
    on_schema_change='fail',
    meta={'replaced_by': ['ratings', 'movies']}
) }}

with

ratings as (

    select * from {{ ref('fact_ratings') }}
    {% if is_incremental() %}
        where movie_id in ({{ touched_keys('movie_id', [ref('fact_ratings')]) }})
    {% endif %}

)

select
    movie_id,
    {{ first_of_month('rated_at') }} as rating_month,
    count(*) as rating_count,
    cast(sum(rating) as decimal(18, 1)) as rating_sum,
    min(rated_at) as first_rated_at,
    max(rated_at) as last_rated_at,
    max(_batch) as _batch
from ratings
group by 1, 2
