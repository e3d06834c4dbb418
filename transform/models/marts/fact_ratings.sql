{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['user_id', 'movie_id'],
    pre_hook="{{ remove_orphans('movies', 'movie_id', 'dim_movies') }}",
    meta={'replaced_by': ['ratings']}
) }}

with

ratings as (

    select * from {{ ref('stg_ratings') }}
    {% if is_incremental() %}
        where {{ arrived_or_adopted('movies', 'movie_id') }}
    {% endif %}

),

known as (

    select ratings.*
    from ratings
    inner join {{ ref('dim_movies') }} as movies
        on ratings.movie_id = movies.movie_id

),

latest as (

    {{ latest('known', 'user_id, movie_id', event_time='rated_at') }}

)

select
    latest.user_id,
    latest.movie_id,
    latest.rating,
    latest.rated_at,
    latest._batch
from latest
{% if is_incremental() %}
    left join {{ this }} as existing
        on latest.user_id = existing.user_id
        and latest.movie_id = existing.movie_id
    where {{ supersedes('latest', 'existing', 'rated_at', 'user_id') }}
{% endif %}
