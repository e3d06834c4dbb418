{{ config(
    materialized='incremental',
    unique_key=['movie_id', 'tag_id'],
    meta={'replaced_by': ['genome_scores'], 'rebuilt_by': ['genome_tags']}
) }}

with

scores as (

    select * from {{ ref('stg_genome_scores') }}
    {% if is_incremental() %}
        where {{ new_rows() }}
    {% endif %}

)

select
    latest.movie_id,
    tags.tag_id,
    latest.relevance,
    latest._batch
from ({{ latest('scores', 'movie_id, genome_tag_id') }}) as latest
inner join {{ ref('int_genome_tags') }} as tags
    on latest.genome_tag_id = tags.genome_tag_id
