select
    tag_id as genome_tag_id,
    {{ normalise_tag('tag') }} as tag,
    _batch,
    _part,
    _row
from {{ source('raw', 'genome_tags') }}
where {{ in_current_content('genome_tags') }}
