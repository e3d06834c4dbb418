with

batches as ({{ unprofiled_batches('genome_tags', rows_as='tags') }}),

new_tags as ({{ unprofiled_rows('genome_tags') }}),

totals as (

    select
        _batch,
        count(*) - count(distinct tag_id) as repeated_tags,
        count(distinct tag_id) - count(distinct case when trim(tag) != '' then lower(trim(tag)) end) as tags_of_same_text,
        count(case when coalesce(trim(tag), '') = '' then 1 end) as blank_tags
    from new_tags
    group by _batch

),

changes as (

    select
        before._batch,
        count(*) as tags_before,
        {{ share_where('lower(trim(before.tag)) != lower(trim(after.tag))') }} as renamed_share
    from {{ before_and_after('genome_tags', 'tag_id', 'new_tags') }}
    group by before._batch

)

select *
from batches
left join totals using (_batch)
left join changes using (_batch)
