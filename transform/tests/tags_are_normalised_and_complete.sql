select
    tag,
    'has upper case, or outer or doubled blanks' as fault
from {{ ref('dim_tags') }}
where tag != lower(tag) or tag != trim(tag) or contains(tag, '  ') or tag = ''

union all

select
    coalesce(tags.tag, genome.tag) as tag,
    'is a genome tag in staging or in dim_tags alone' as fault
from (select distinct tag from {{ ref('int_genome_tags') }}) as genome
full outer join (select tag from {{ ref('dim_tags') }} where genome_tag_id is not null) as tags
    on genome.tag = tags.tag
where genome.tag is null or tags.tag is null
