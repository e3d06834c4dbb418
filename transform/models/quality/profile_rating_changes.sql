{%- set in_sample = in_sample('ratings', 'user_id') -%}
{%- set month = first_of_month(epoch_to_timestamp('least(timestamp, 4102444800)')) -%}

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

before as (

    {{ rows_before('ratings', 'user_id, movie_id', event_time='timestamp', where=in_sample) }}

),

new_ratings as (

    select * from ({{ unprofiled_rows('ratings') }}) as ratings
    where _batch in (select _batch from ({{ content_batches('ratings') }}) as replaced)
        and {{ in_sample }}

),

after as (

    {{ latest('new_ratings', '_batch, user_id, movie_id', event_time='timestamp') }}

),

pairs as (

    select
        coalesce(before._batch, after._batch) as _batch,
        before.user_id as user_before,
        after.user_id as user_after,
        before.rating as rating_before,
        after.rating as rating_after,
        case when before.user_id = after.user_id then 1 end as is_kept,
        case when before.timestamp = after.timestamp and before.rating != after.rating then 1 end as is_regraded,
        case when before.timestamp != after.timestamp and before.rating = after.rating then 1 end as is_moved
    from before
    full outer join after
        on before._batch = after._batch
        and before.user_id = after.user_id
        and before.movie_id = after.movie_id

),

changes as (

    select
        _batch,
        count(user_before) as ratings_before,
        {{ share('count(user_after)', 'count(user_before)') }} as ratings_multiple,
        count(distinct user_before) as users_before,
        {{ share('count(distinct user_after)', 'count(distinct user_before)') }} as users_multiple,
        {{ share('count(is_kept)', 'count(user_before)') }} as kept_share,
        {{ share('count(is_kept)', 'least(count(user_before), count(user_after))') }} as overlap,
        avg(cast(rating_after as double)) - avg(cast(rating_before as double)) as mean_rating_change,
        count(is_regraded) as regraded_ratings,
        {{ share('count(is_regraded)', 'count(is_kept)') }} as regraded_share,
        count(is_moved) as moved_ratings,
        {{ share('count(is_moved)', 'count(is_kept)') }} as moved_share
    from pairs
    group by _batch

),

both_sides as (

    select
        _batch,
        {{ month }} as rating_month,
        rating,
        sum(was_there) as ratings_before,
        sum(1 - was_there) as ratings_after
    from (
        select _batch, timestamp, rating, 1 as was_there from before
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

star_changes as (

    select
        _batch,
        max(abs(change)) as star_change
    from stars
    group by _batch

),

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
        min(case when size = 'large' and multiple = least_multiple then rating_month end) as least_month,
        min(case when size = 'large' then multiple end) as least_month_multiple,
        min(case when size = 'small' then multiple end) as least_small_month_multiple
    from (select *, min(multiple) over (partition by _batch, size) as least_multiple from months) as compared_months
    group by _batch

)

select *
from batches
inner join changes using (_batch)
inner join star_changes using (_batch)
inner join worst_months using (_batch)
