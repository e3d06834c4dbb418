with

activity as (

    select * from {{ ref('user_activity') }}

)

select
    user_id,
    min(first_activity_at) as first_activity_at,
    max(last_activity_at) as last_activity_at,
    cast(sum(rating_count) as integer) as rating_count,
    cast(sum(tag_count) as integer) as tag_count
from activity
group by user_id
