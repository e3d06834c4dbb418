{%- set new_tags = unprofiled_rows('genome_tags') -%}

with

batches as (

    {{ unprofiled_batches('genome_tags') }}

),

totals as (

    select
        _batch,
        count(*) as tags,
        count(*) - count(distinct tag_id) as repeated_tags,
        count(distinct tag_id) - count(distinct case when trim(tag) != '' then lower(trim(tag)) end) as tags_of_same_text,
        count(case when coalesce(trim(tag), '') = '' then 1 end) as blank_tags
    from {{ new_tags }} as tags
    group by _batch

),

before as (

    select
        content._batch,
        tags.tag_id,
        lower(trim(tags.tag)) as tag
    from {{ source('raw', 'genome_tags') }} as tags
    inner join ({{ content_batches('genome_tags') }}) as content
        on tags._batch = content.held_batch
    qualify row_number() over (
        partition by content._batch, tags.tag_id
        order by tags._batch desc nulls last, tags._part desc nulls last, tags._row desc nulls last
    ) = 1

),

changes as (

    select
        before._batch,
        count(distinct before.tag_id) as tags_before,
        count(distinct case when before.tag != lower(trim(after.tag)) then before.tag_id end) as renamed_tags
    from before
    left join {{ new_tags }} as after
        on before._batch = after._batch
        and before.tag_id = after.tag_id
    group by before._batch

)

select
    batches._batch,
    batches.batch_id,
    batches.as_of,
    batches.mode,
    cast(batches.rows_read as bigint) as rows_read,
    cast(batches.rows_rejected as bigint) as rows_rejected,
    {{ share('batches.rows_rejected', 'batches.rows_read') }} as rejected_share,
    cast(coalesce(totals.tags, 0) as bigint) as tags,
    cast(totals.repeated_tags as bigint) as repeated_tags,
    cast(totals.tags_of_same_text as bigint) as tags_of_same_text,
    cast(totals.blank_tags as bigint) as blank_tags,
    cast(changes.tags_before as bigint) as tags_before,
    {{ share('changes.renamed_tags', 'changes.tags_before') }} as renamed_share
from batches
left join totals
    on batches._batch = totals._batch
left join changes
    on batches._batch = changes._batch
