-- And dim_tags has the tags of the genome as the genome has them.
with

of_genome as (select * from {{ ref('dim_tags') }} where genome_tag_id is not null)

select
    tag,
    'is a genome tag in staging or in dim_tags alone' as fault
from ({{ differences(ref('int_genome_tags'), 'of_genome', 'tag, tag_id, genome_tag_id') }}) as found

union all

select
    tag,
    'has upper case, or outer or doubled blanks, or the id of another' as fault
from {{ ref('dim_tags') }}
where tag_id != {{ hash_key('tag') }}
    or tag != lower(tag)
    or tag != trim(tag)
    or contains(tag, '  ')
    or tag = ''
