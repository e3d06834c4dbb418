-- And a month has no other days. A user who is only listed has no month.
{%- set columns = 'user_id, rating_count, tag_count, first_activity_at, last_activity_at' %}

with

months as (

    select {{ columns }} from {{ ref('user_activity') }}
    union all
    select user_id, 0 as rating_count, 0 as tag_count, null as first_activity_at, null as last_activity_at
    from {{ ref('int_users') }}

),

summed as (

    select
        user_id,
        sum(rating_count) as rating_count,
        sum(tag_count) as tag_count,
        min(first_activity_at) as first_activity_at,
        max(last_activity_at) as last_activity_at
    from months
    group by user_id

)

{{ differences('summed', ref('dim_users'), columns) }}
union all
select {{ columns }} from {{ ref('user_activity') }}
where {{ first_of_month('first_activity_at') }} != activity_month
    or {{ first_of_month('last_activity_at') }} != activity_month
    or last_activity_at < first_activity_at
