{%- set new_users = unprofiled_rows('users') -%}

with

batches as (

    {{ unprofiled_batches('users') }}

),

totals as (

    select
        _batch,
        count(*) as users,
        count(*) - count(distinct user_id) as repeated_users,
        count(case when coalesce(gender, '') = '' then 1 end) as without_gender,
        count(case when age is null then 1 end) as without_age,
        count(case when coalesce(trim(occupation), '') = '' then 1 end) as without_occupation,
        count(case when coalesce(trim(zip_code), '') = '' then 1 end) as without_zip_code
    from {{ new_users }} as users
    group by _batch

),

before as (

    select
        content._batch,
        users.user_id,
        users.gender,
        users.occupation
    from {{ source('raw', 'users') }} as users
    inner join ({{ content_batches('users') }}) as content
        on users._batch = content.held_batch
    qualify row_number() over (
        partition by content._batch, users.user_id
        order by users._batch desc nulls last, users._part desc nulls last, users._row desc nulls last
    ) = 1

),

changes as (

    select
        before._batch,
        count(distinct before.user_id) as users_before,
        count(
            distinct case
                when before.gender != after.gender or before.occupation != after.occupation then before.user_id
            end
        ) as other_people
    from before
    left join {{ new_users }} as after
        on before._batch = after._batch
        and before.user_id = after.user_id
    group by before._batch

)

select
    batches._batch,
    batches.batch_id,
    batches.as_of,
    batches.mode,
    cast(batches.rows_read as bigint) as rows_read,
    cast(batches.rows_rejected as bigint) as rows_rejected,
    {{ share('batches.rows_rejected', 'batches.rows_read') }} as rejected_share,
    cast(coalesce(totals.users, 0) as bigint) as users,
    cast(totals.repeated_users as bigint) as repeated_users,
    {{ share('totals.without_gender', 'totals.users') }} as share_without_gender,
    {{ share('totals.without_age', 'totals.users') }} as share_without_age,
    {{ share('totals.without_occupation', 'totals.users') }} as share_without_occupation,
    {{ share('totals.without_zip_code', 'totals.users') }} as share_without_zip_code,
    cast(changes.users_before as bigint) as users_before,
    {{ share('changes.other_people', 'changes.users_before') }} as other_people_share
from batches
left join totals
    on batches._batch = totals._batch
left join changes
    on batches._batch = changes._batch
