-- The fact of tags and their history are built from the same staging by different roads; the summaries from the fact.
{%- set counts = {'dim_tags': 'use_count', 'dim_users': 'tag_count', 'user_activity': 'tag_count'} %}

with

history as (

    select * from {{ ref('snap_tags') }}
    where valid_to is null

),

roads as (

    {% for summary, tags in counts.items() -%}
    select
        '{{ summary }}' as road,
        coalesce(sum({{ tags }}), 0) as tags
    from {{ ref(summary) }}

    union all

    {% endfor -%}
    select
        'history' as road,
        count(*) as tags
    from history

    union all

    select
        'history as the fact has it' as road,
        count(*) as tags
    from history
    inner join {{ ref('fact_movie_tags') }} as tags
        on history.user_id = tags.user_id
        and history.movie_id = tags.movie_id
        and history.tag_id = tags.tag_id
        and history.tagged_at = tags.tagged_at

)

select
    roads.road,
    roads.tags,
    fact.tags as tags_in_fact
from roads
cross join (select count(*) as tags from {{ ref('fact_movie_tags') }}) as fact
where roads.tags != fact.tags
