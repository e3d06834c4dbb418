{# A snapshot's versions begin and end when a batch took effect and do not overlap (no two begin at once), and the open
   ones are the current content, `relation`, by the key and the columns that have history. #}
{% test versions_follow_batches(model, key, check_cols, relation) %}
{%- set columns = (key + check_cols) | join(', ') %}

with

versions as (

    select
        *,
        lead(valid_from) over (partition by {{ key | join(', ') }} order by valid_from nulls first) as next_valid_from
    from {{ model }}

),

open_versions as (select * from versions where valid_to is null),

clock as (select distinct effective_at from {{ source('raw', 'batches') }})

select {{ columns }}
from versions
left join clock as begins
    on versions.valid_from = begins.effective_at
left join clock as ends
    on versions.valid_to = ends.effective_at
where begins.effective_at is null
    or (versions.valid_to is not null and (ends.effective_at is null or versions.valid_to <= versions.valid_from))
    or (versions.next_valid_from is not null and coalesce(versions.valid_to > versions.next_valid_from, true))

union all

{{ differences('open_versions', relation, columns) }}

{% endtest %}
