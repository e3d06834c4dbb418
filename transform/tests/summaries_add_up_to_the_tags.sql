-- The fact of tags and their history are built from the same staging by different roads; the summaries from the fact.
with

roads as (

    {% for summary, tags in [('dim_tags', 'use_count'), ('dim_users', 'tag_count'), ('user_activity', 'tag_count')] -%}
    select
        '{{ summary }}' as road,
        coalesce(sum({{ tags }}), 0) as tags
    from {{ ref(summary) }}

    union all

    {% endfor -%}
    select
        'history as the fact has it' as road,
        count(*) as tags
    from {{ ref('snap_tags') }} as history
    inner join {{ ref('fact_movie_tags') }} using (user_id, movie_id, tag_id, tagged_at)
    where history.valid_to is null

),

fact as (select count(*) as tags from {{ ref('fact_movie_tags') }})

select
    roads.road,
    roads.tags,
    fact.tags as tags_in_fact
from roads
inner join fact
    on roads.tags != fact.tags
