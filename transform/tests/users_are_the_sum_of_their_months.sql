with

months as (

    select
        user_id,
        sum(rating_count) as rating_count,
        sum(tag_count) as tag_count,
        min(first_activity_at) as first_activity_at,
        max(last_activity_at) as last_activity_at,
        count(
            case
                when {{ first_of_month('first_activity_at') }} != activity_month
                    or {{ first_of_month('last_activity_at') }} != activity_month
                    or last_activity_at < first_activity_at then 1
            end
        ) as months_with_other_days
    from {{ ref('user_activity') }}
    group by user_id

)

select
    coalesce(users.user_id, months.user_id) as user_id,
    users.rating_count,
    months.rating_count as ratings_in_months,
    users.tag_count,
    months.tag_count as tags_in_months,
    months.months_with_other_days
from {{ ref('dim_users') }} as users
full outer join months
    on users.user_id = months.user_id
where users.user_id is null
    or users.rating_count != coalesce(months.rating_count, 0)
    or users.tag_count != coalesce(months.tag_count, 0)
    or users.first_activity_at is distinct from months.first_activity_at
    or users.last_activity_at is distinct from months.last_activity_at
    or months.months_with_other_days > 0
    or (months.user_id is null and coalesce(users.gender, users.occupation, users.zip_code) is null)
