with

user_tags as (

    select
        tag,
        count(*) as use_count
    from {{ ref('int_tags') }}
    group by tag

)

select
    {{ hash_key('coalesce(user_tags.tag, genome_tags.tag)') }} as tag_id,
    coalesce(user_tags.tag, genome_tags.tag) as tag,
    genome_tags.genome_tag_id,
    coalesce(user_tags.use_count, 0) as use_count
from user_tags
full outer join {{ ref('int_genome_tags') }} as genome_tags
    on user_tags.tag = genome_tags.tag
