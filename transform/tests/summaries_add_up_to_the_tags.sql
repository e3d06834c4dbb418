-- The fact of tags and their history are built from the same staging by different roads; the summaries from the fact.
with

roads as (

    select 'dim_tags' as road, coalesce(sum(use_count), 0) as tags from {{ ref('dim_tags') }}
    union all
    select 'user_activity' as road, coalesce(sum(tag_count), 0) as tags from {{ ref('user_activity') }}
    union all
    select 'history as the fact has it' as road, count(*) as tags
    from {{ ref('snap_tags') }} as history
    inner join {{ ref('fact_movie_tags') }} using (user_id, movie_id, tag_id, tagged_at)
    where history.valid_to is null

)

select
    roads.road,
    roads.tags,
    fact.tags as tags_in_fact
from roads
inner join (select count(*) as tags from {{ ref('fact_movie_tags') }}) as fact
    on roads.tags != fact.tags
