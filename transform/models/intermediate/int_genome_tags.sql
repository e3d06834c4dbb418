with

genome_tags as (

    select * from {{ ref('stg_genome_tags') }}

),

latest as (

    {{ deduplicate('genome_tags', 'genome_tag_id', '_batch_id desc nulls last, _file desc nulls last, _row desc nulls last') }}

)

select
    genome_tag_id,
    {{ hash_key('tag') }} as tag_id,
    tag
from latest
where tag is not null
