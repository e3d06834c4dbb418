{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['user_id', 'movie_id', 'tag_id'],
    pre_hook="{{ remove_orphans('movies', 'movie_id', 'dim_movies') }}",
    meta={'replaced_by': ['tags']}
) }}

with

tags as (

    select * from {{ ref('stg_tags') }}
    {% if is_incremental() %}
        where {{ arrived_or_adopted('movies', 'movie_id') }}
    {% endif %}

),

known as (

    select
        tags.user_id,
        tags.movie_id,
        {{ hash_key('tags.tag') }} as tag_id,
        tags.tagged_at,
        tags._batch,
        tags._part,
        tags._row
    from tags
    inner join {{ ref('dim_movies') }} as movies
        on tags.movie_id = movies.movie_id

),

latest as (

    {{ latest('known', 'user_id, movie_id, tag_id', event_time='tagged_at') }}

)

select
    latest.user_id,
    latest.movie_id,
    latest.tag_id,
    latest.tagged_at,
    latest._batch
from latest
{% if is_incremental() %}
    left join {{ this }} as existing
        on latest.user_id = existing.user_id
        and latest.movie_id = existing.movie_id
        and latest.tag_id = existing.tag_id
    where {{ supersedes('latest', 'existing', 'tagged_at', 'user_id') }}
{% endif %}
