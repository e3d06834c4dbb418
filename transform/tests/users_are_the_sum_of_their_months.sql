-- And a month has no other days; a user without a rating or tag is one that users lists.
with

months as (

    select
        user_id,
        sum(rating_count) as rating_count,
        sum(tag_count) as tag_count,
        min(first_activity_at) as first_activity_at,
        max(last_activity_at) as last_activity_at
    from {{ ref('user_activity') }}
    group by user_id

),

active as (

    select * from {{ ref('dim_users') }}
    where rating_count + tag_count > 0
        or first_activity_at is not null
        or last_activity_at is not null
        or user_id not in (select user_id from {{ ref('int_users') }})

)

{{ differences('months', 'active', 'user_id, rating_count, tag_count, first_activity_at, last_activity_at') }}
union all
select user_id, rating_count, tag_count, first_activity_at, last_activity_at from {{ ref('user_activity') }}
where {{ first_of_month('first_activity_at') }} != activity_month
    or {{ first_of_month('last_activity_at') }} != activity_month
    or last_activity_at < first_activity_at
