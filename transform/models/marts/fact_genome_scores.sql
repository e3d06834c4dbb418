{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['movie_id', 'tag_id'],
    meta={'replaced_by': ['genome_scores'], 'rebuilt_by': ['genome_tags']}
) }}

with

scores as (

    select * from {{ ref('stg_genome_scores') }}
    {% if is_incremental() %}
        where _batch > {{ batch_watermark(this) }}
    {% endif %}

),

tags as (

    select * from {{ ref('int_genome_tags') }}

),

latest as (

    {{ latest('scores', 'movie_id, genome_tag_id') }}

)

select
    latest.movie_id,
    tags.tag_id,
    latest.relevance,
    latest._batch
from latest
inner join tags
    on latest.genome_tag_id = tags.genome_tag_id
