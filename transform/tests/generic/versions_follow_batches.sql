{# A snapshot's versions have a key, begin and end when a batch took effect, do not overlap (no two begin at once), and as
   many are open as the current content, `relation`, has keys. #}
{% test versions_follow_batches(model, key, relation) %}

with

ordered as (

    select
        {{ key }} as version_key,
        valid_from,
        valid_to,
        lead(valid_from) over (partition by {{ key }} order by valid_from nulls first) as next_valid_from
    from {{ model }}

),

clock as (select distinct effective_at from {{ source('raw', 'batches') }})

select
    cast(ordered.version_key as varchar) as version_key,
    ordered.valid_from,
    ordered.valid_to
from ordered
left join clock as begins
    on ordered.valid_from = begins.effective_at
left join clock as ends
    on ordered.valid_to = ends.effective_at
where ordered.version_key is null
    or begins.effective_at is null
    or (ordered.valid_to is not null and (ends.effective_at is null or ordered.valid_to <= ordered.valid_from))
    or (ordered.next_valid_from is not null and coalesce(ordered.valid_to > ordered.next_valid_from, true))

union all

select
    'open versions: ' || cast(open_versions.versions as varchar) as version_key,
    null as valid_from,
    null as valid_to
from (select count(*) as versions from {{ model }} where valid_to is null) as open_versions
cross join (select count(*) as keys from {{ relation }}) as content
where open_versions.versions != content.keys

{% endtest %}
