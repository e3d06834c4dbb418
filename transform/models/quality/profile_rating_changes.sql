{%- set in_sample = in_sample('ratings', 'user_id') -%}
{%- set month = first_of_month(epoch_to_timestamp('least(timestamp, 4102444800)')) -%}

with

batches as (

    {{ unprofiled_batches('ratings') }}

),

content as (

    select * from ({{ content_batches('ratings') }}) as content
    where mode = 'full'

),

before as (

    select
        content._batch,
        ratings.user_id,
        ratings.movie_id,
        ratings.rating,
        ratings.timestamp
    from {{ source('raw', 'ratings') }} as ratings
    inner join content
        on ratings._batch = content.held_batch
    where {{ in_sample }}
    qualify row_number() over (
        partition by content._batch, ratings.user_id, ratings.movie_id
        order by ratings.timestamp desc nulls last, ratings._batch desc nulls last, ratings._part desc nulls last, ratings._row desc nulls last
    ) = 1

),

after as (

    select
        ratings._batch,
        ratings.user_id,
        ratings.movie_id,
        ratings.rating,
        ratings.timestamp
    from {{ unprofiled_rows('ratings') }} as ratings
    inner join (select distinct _batch from content) as replacing
        on ratings._batch = replacing._batch
    where {{ in_sample }}
    qualify row_number() over (
        partition by ratings._batch, ratings.user_id, ratings.movie_id
        order by ratings.timestamp desc nulls last, ratings._part desc nulls last, ratings._row desc nulls last
    ) = 1

),

kept as (

    select
        before._batch,
        count(*) as kept_ratings,
        count(case when before.timestamp = after.timestamp and before.rating != after.rating then 1 end) as regraded_ratings,
        count(case when before.timestamp != after.timestamp and before.rating = after.rating then 1 end) as moved_ratings
    from before
    inner join after
        on before._batch = after._batch
        and before.user_id = after.user_id
        and before.movie_id = after.movie_id
    group by before._batch

),

both_sides as (

    select
        _batch,
        {{ month }} as rating_month,
        rating,
        count(*) as ratings_before,
        0 as ratings_after
    from before
    group by 1, 2, 3

    union all

    select
        _batch,
        {{ month }} as rating_month,
        rating,
        0 as ratings_before,
        count(*) as ratings_after
    from after
    group by 1, 2, 3

),

compared as (

    select
        _batch,
        sum(ratings_before) as ratings_before,
        sum(ratings_after) as ratings_after,
        sum(cast(rating as double) * ratings_before) / nullif(sum(ratings_before), 0) as mean_before,
        sum(cast(rating as double) * ratings_after) / nullif(sum(ratings_after), 0) as mean_after
    from both_sides
    group by _batch

),

star_changes as (

    select
        stars._batch,
        max(abs(
            {{ share('stars.ratings_after', 'compared.ratings_after') }}
            - {{ share('stars.ratings_before', 'compared.ratings_before') }}
        )) as star_change
    from (
        select
            _batch,
            rating,
            sum(ratings_before) as ratings_before,
            sum(ratings_after) as ratings_after
        from both_sides
        group by 1, 2
    ) as stars
    inner join compared
        on stars._batch = compared._batch
    group by stars._batch

),

months as (

    select
        _batch,
        rating_month,
        sum(ratings_before) as ratings_before,
        {{ share('sum(ratings_after)', 'sum(ratings_before)') }} as multiple,
        row_number() over (
            partition by _batch
            order by
                case when sum(ratings_before) >= 100 then {{ share('sum(ratings_after)', 'sum(ratings_before)') }} end nulls last,
                rating_month
        ) as place
    from both_sides
    group by 1, 2

),

worst_months as (

    select
        _batch,
        min(case when ratings_before >= 100 and place = 1 then rating_month end) as least_month,
        min(case when ratings_before >= 100 then multiple end) as least_month_multiple,
        min(case when ratings_before between 20 and 99 then multiple end) as least_small_month_multiple
    from months
    group by _batch

),

user_changes as (

    select
        before_users._batch,
        before_users.users as users_before,
        {{ share('after_users.users', 'before_users.users') }} as users_multiple
    from (select _batch, count(distinct user_id) as users from before group by _batch) as before_users
    inner join (select _batch, count(distinct user_id) as users from after group by _batch) as after_users
        on before_users._batch = after_users._batch

)

select
    batches._batch,
    batches.batch_id,
    batches.as_of,
    batches.mode,
    cast(compared.ratings_before as bigint) as ratings_before,
    {{ share('compared.ratings_after', 'compared.ratings_before') }} as ratings_multiple,
    cast(user_changes.users_before as bigint) as users_before,
    user_changes.users_multiple,
    {{ share('coalesce(kept.kept_ratings, 0)', 'compared.ratings_before') }} as kept_share,
    {{ share('coalesce(kept.kept_ratings, 0)', 'least(compared.ratings_before, compared.ratings_after)') }} as overlap,
    compared.mean_after - compared.mean_before as mean_rating_change,
    star_changes.star_change,
    worst_months.least_month,
    worst_months.least_month_multiple,
    worst_months.least_small_month_multiple,
    cast(kept.regraded_ratings as bigint) as regraded_ratings,
    {{ share('kept.regraded_ratings', 'kept.kept_ratings') }} as regraded_share,
    cast(kept.moved_ratings as bigint) as moved_ratings,
    {{ share('kept.moved_ratings', 'kept.kept_ratings') }} as moved_share
from batches
inner join compared
    on batches._batch = compared._batch
left join kept
    on batches._batch = kept._batch
left join star_changes
    on batches._batch = star_changes._batch
left join worst_months
    on batches._batch = worst_months._batch
left join user_changes
    on batches._batch = user_changes._batch
