-- The fact of tags and their history are built from the same staging by different roads; the summaries from the fact.
with

history as (

    select * from {{ ref('snap_tags') }}
    where valid_to is null

),

roads as (

    select
        'tags in history' as road,
        count(*) as tags
    from history

    union all

    select
        'tags in history as the fact has them' as road,
        count(*) as tags
    from history
    inner join {{ ref('fact_movie_tags') }} as tags
        on history.user_id = tags.user_id
        and history.movie_id = tags.movie_id
        and history.tag_id = tags.tag_id
        and history.tagged_at = tags.tagged_at

    union all

    select
        'uses that dim_tags counts' as road,
        coalesce(sum(use_count), 0) as tags
    from {{ ref('dim_tags') }}

    union all

    select
        'tags that dim_users counts' as road,
        coalesce(sum(tag_count), 0) as tags
    from {{ ref('dim_users') }}

    union all

    select
        'tags that user_activity counts' as road,
        coalesce(sum(tag_count), 0) as tags
    from {{ ref('user_activity') }}

)

select
    roads.road,
    roads.tags,
    fact.tags as tags_in_fact
from roads
cross join (select count(*) as tags from {{ ref('fact_movie_tags') }}) as fact
where roads.tags != fact.tags
