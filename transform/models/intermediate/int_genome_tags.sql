-- Of genome tags that are one when normalised, the first stands for all.
select
    {{ hash_key('tag') }} as tag_id,
    tag,
    min(genome_tag_id) as genome_tag_id
from ({{ latest(ref('stg_genome_tags'), 'genome_tag_id') }}) as latest
where tag is not null
group by tag
