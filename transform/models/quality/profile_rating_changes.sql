{%- set in_sample = in_sample('ratings', 'user_id') -%}
{%- set kept = 'count(case when before.user_id = after.user_id then 1 end)' -%}

with

batches as (

    select
        _batch,
        batch_id,
        as_of,
        mode
    from ({{ unprofiled_batches('ratings', rows_as='ratings') }}) as every_batch
    where mode = 'full'

),

before as ({{ rows_before('ratings', 'user_id, movie_id', event_time='timestamp', where=in_sample) }}),

new_ratings as (

    select * from ({{ unprofiled_rows('ratings') }}) as ratings
    where _batch in (select _batch from ({{ content_batches('ratings') }}) as replaced)
        and {{ in_sample }}

),

after as ({{ latest('new_ratings', '_batch, user_id, movie_id', event_time='timestamp') }}),

changes as (

    select
        coalesce(before._batch, after._batch) as _batch,
        count(before.user_id) as ratings_before,
        {{ share('count(after.user_id)', 'count(before.user_id)') }} as ratings_multiple,
        count(distinct before.user_id) as users_before,
        {{ share('count(distinct after.user_id)', 'count(distinct before.user_id)') }} as users_multiple,
        {{ share(kept, 'count(before.user_id)') }} as kept_share,
        {{ share(kept, 'least(count(before.user_id), count(after.user_id))') }} as overlap,
        avg(cast(after.rating as double)) - avg(cast(before.rating as double)) as mean_rating_change,
        count(case when before.timestamp = after.timestamp and before.rating != after.rating then 1 end)
            as regraded_ratings,
        {{ share('regraded_ratings', kept) }} as regraded_share,
        count(case when before.timestamp != after.timestamp and before.rating = after.rating then 1 end)
            as moved_ratings,
        {{ share('moved_ratings', kept) }} as moved_share
    from before
    full outer join after
        on before._batch = after._batch
        and before.user_id = after.user_id
        and before.movie_id = after.movie_id
    group by 1

),

-- Who left took all of their ratings with them, and a month of a small release may be one person's.
users_after as (

    select distinct
        _batch,
        user_id
    from after

),

both_sides as (

    select
        _batch,
        {{ first_of_month(epoch_to_timestamp('least(timestamp, 4102444800)')) }} as rating_month,
        rating,
        sum(was_there) as ratings_before,
        sum(1 - was_there) as ratings_after
    from (
        select _batch, timestamp, rating, 1 as was_there from before
        inner join users_after using (_batch, user_id)
        union all
        select _batch, timestamp, rating, 0 as was_there from after
    ) as ratings
    group by 1, 2, 3

),

stars as (

    select
        _batch,
        rating,
        {{ share('sum(ratings_after)', 'sum(sum(ratings_after)) over (partition by _batch)') }}
        - {{ share('sum(ratings_before)', 'sum(sum(ratings_before)) over (partition by _batch)') }} as change
    from both_sides
    group by 1, 2

),

star_changes as (select _batch, max(abs(change)) as star_change from stars group by _batch),

months as (

    select
        _batch,
        rating_month,
        case when sum(ratings_before) >= 100 then 'large' when sum(ratings_before) >= 20 then 'small' end as size,
        {{ share('sum(ratings_after)', 'sum(ratings_before)') }} as multiple
    from both_sides
    group by 1, 2

),

worst_months as (

    select
        _batch,
        max(case when size = 'large' then rating_month end) as least_month,
        max(case when size = 'large' then multiple end) as least_month_multiple,
        max(case when size = 'small' then multiple end) as least_small_month_multiple
    from (
        select * from months
        qualify row_number() over (partition by _batch, size order by multiple nulls last, rating_month nulls last) = 1
    ) as worst
    group by _batch

)

select *
from batches
inner join changes using (_batch)
inner join star_changes using (_batch)
inner join worst_months using (_batch)
