with

activity as (

    select
        user_id,
        min(first_activity_at) as first_activity_at,
        max(last_activity_at) as last_activity_at,
        sum(rating_count) as rating_count,
        sum(tag_count) as tag_count
    from {{ ref('user_activity') }}
    group by user_id

)

select
    coalesce(activity.user_id, people.user_id) as user_id,
    activity.first_activity_at,
    activity.last_activity_at,
    cast(coalesce(activity.rating_count, 0) as integer) as rating_count,
    cast(coalesce(activity.tag_count, 0) as integer) as tag_count,
    people.gender,
    age_bands.age_band,
    coalesce(occupations.occupation, people.occupation) as occupation,
    people.zip_code,
    zip_prefixes.state
from activity
full outer join {{ ref('int_users') }} as people
    on activity.user_id = people.user_id
left join {{ ref('age_bands') }} as age_bands
    on people.age between age_bands.from_age and age_bands.to_age
left join {{ ref('occupations') }} as occupations
    on people.occupation = occupations.code
left join {{ ref('zip_prefixes') }} as zip_prefixes
    on left(people.zip_code, 3) between zip_prefixes.from_prefix and zip_prefixes.to_prefix
    and length(people.zip_code) = 5
    and translate(people.zip_code, '0123456789', '') = ''
