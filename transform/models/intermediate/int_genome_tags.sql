with

genome_tags as (

    select * from {{ ref('stg_genome_tags') }}

),

latest as (

    {{ latest('genome_tags', 'genome_tag_id') }}

)

select
    genome_tag_id,
    {{ hash_key('tag') }} as tag_id,
    tag
from latest
where tag is not null
