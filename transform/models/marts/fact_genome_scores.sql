{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['movie_id', 'tag_id'],
    pre_hook="{{ remove_orphans('movies', 'movie_id', 'dim_movies') }}",
    meta={'replaced_by': ['genome_scores'], 'rebuilt_by': ['genome_tags']}
) }}

with

scores as (

    select * from {{ ref('stg_genome_scores') }}
    {% if is_incremental() %}
        where {{ arrived_or_adopted('movies', 'movie_id') }}
    {% endif %}

),

known as (

    select
        scores.movie_id,
        tags.tag_id,
        scores.relevance,
        scores._batch,
        scores._part,
        scores._row
    from scores
    inner join {{ ref('dim_movies') }} as movies
        on scores.movie_id = movies.movie_id
    inner join {{ ref('dim_tags') }} as tags
        on scores.genome_tag_id = tags.genome_tag_id

),

latest as (

    {{ latest('known', 'movie_id, tag_id') }}

)

select
    movie_id,
    tag_id,
    relevance,
    _batch
from latest
