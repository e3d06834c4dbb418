with

batches as ({{ unprofiled_batches('users', rows_as='users') }}),

new_users as ({{ unprofiled_rows('users') }}),

totals as (

    select
        _batch,
        count(*) - count(distinct user_id) as repeated_users,
        {{ share_where("coalesce(gender, '') = ''") }} as share_without_gender,
        {{ share_where('age is null') }} as share_without_age,
        {{ share_where("coalesce(trim(occupation), '') = ''") }} as share_without_occupation,
        {{ share_where("coalesce(trim(zip_code), '') = ''") }} as share_without_zip_code
    from new_users
    group by _batch

),

changes as (

    select
        before._batch,
        count(*) as users_before,
        {{ share_where('before.gender != after.gender or before.occupation != after.occupation') }}
            as other_people_share
    from {{ before_and_after('users', 'user_id', 'new_users') }}
    group by before._batch

)

select *
from batches
left join totals using (_batch)
left join changes using (_batch)
