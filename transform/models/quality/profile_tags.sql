{%- set in_sample = in_sample('ratings', 'movie_id') -%}

with

batches as ({{ unprofiled_batches('tags', rows_as='tags') }}),

---------- what the batch brought

lines as (

    select
        *,
        max(length(tag)) over (partition by _batch) as greatest_length,
        row_number() over (
            partition by _batch, user_id, movie_id, tag, timestamp
            order by _part nulls last, _row nulls last
        ) as copy
    from ({{ unprofiled_rows('tags') }}) as new_tags

),

-- Second 788918400 is 1 January 1995, when there was no MovieLens yet. Lengths run out slowly; when many tags share the
-- greatest length, they were cut there.
totals as (

    select
        lines._batch,
        count(distinct lines.user_id) as users,
        avg(case when lines.copy = 1 then cast(length(lines.tag) as double) end) as mean_length,
        count(distinct length(lines.tag)) as different_lengths,
        count(case when length(lines.tag) = greatest_length - 1 then 1 end) as tags_one_shorter,
        {{ count_and_share('length(lines.tag) = greatest_length', 'tags_of_greatest_length', 'share_of_greatest_length') }},
        {{ count_and_share('lines.copy > 1', 'copied_tags', 'copied_share') }},
        {{ count_and_share("coalesce(trim(lines.tag), '') = ''", 'blank_tags', 'blank_share') }},
        {{ count_and_share(is_unreadable('lines.tag'), 'unreadable_tags', 'unreadable_share') }},
        {{ count_and_share('lines.timestamp < 788918400', 'tags_before_1995', 'share_before_1995') }},
        {{ count_and_share(
            "lines.timestamp >= 86400 * (datediff('day', cast('1970-01-01' as datetime), batches.as_of) + 2)",
            'tags_after_as_of', 'share_after_as_of'
        ) }},
        {{ count_and_share('listed.movie_id is null', 'tags_of_unlisted_movies', 'share_of_unlisted_movies') }}
    from lines
    inner join batches
        on lines._batch = batches._batch
    left join ({{ keys_held('movies', 'movie_id') }}) as listed
        on lines._batch = listed._batch
        and lines.movie_id = listed.movie_id
    group by lines._batch

),

---------- do the tags of a full batch speak of the same users as the ratings?

tagged as (

    select distinct
        _batch,
        user_id,
        movie_id
    from lines
    where _batch in (select _batch from batches where mode = 'full')
        and {{ in_sample }}

),

rated as (

    select distinct
        content._batch,
        ratings.user_id,
        ratings.movie_id
    from {{ source('raw', 'ratings') }} as ratings
    inner join ({{ content_batches('ratings', including=true) }}) as content
        on ratings._batch = content.held_batch
    where content.mode = 'full'
        and {{ in_sample }}

),

-- With the ids as they are (step 0), and beside the next and the previous user's.
matched as (

    select
        _batch,
        max(tagged_pairs) as tagged_pairs,
        {{ share('max(case when step = 0 then rated_pairs end)', 'max(tagged_pairs)') }} as rated_share,
        max(case when step != 0 then rated_pairs end) as shifted_pairs,
        {{ share('shifted_pairs', 'max(case when step = 0 then rated_pairs end)') }} as shifted_multiple
    from (
        select tagged._batch, steps.step, count(*) as tagged_pairs, count(rated.user_id) as rated_pairs
        from tagged
        cross join (values (0), (1), (-1)) as steps (step)
        left join rated
            on tagged._batch = rated._batch
            and cast(tagged.user_id as bigint) + steps.step = rated.user_id
            and tagged.movie_id = rated.movie_id
        group by 1, 2
    ) as matches
    group by _batch

),

---------- what a full batch does to the tags that it replaces

content as (select * from ({{ content_batches('tags') }}) as content where mode = 'full'),

compared as (

    select
        _batch,
        user_id,
        movie_id,
        lower(trim(tag)) as tag,
        max(was_there) as was_there,
        max(is_there) as is_there,
        max(case when was_there = 1 then timestamp end) as time_before,
        max(case when is_there = 1 then timestamp end) as time_after,
        max(max(was_there)) over (partition by _batch, lower(trim(tag))) as is_known
    from (
        select content._batch, tags.user_id, tags.movie_id, tags.tag, tags.timestamp, 1 as was_there, 0 as is_there
        from {{ source('raw', 'tags') }} as tags
        inner join content
            on tags._batch = content.held_batch

        union all

        select _batch, user_id, movie_id, tag, timestamp, 0 as was_there, 1 as is_there from lines
        where _batch in (select _batch from content)
    ) as both_sides
    group by 1, 2, 3, 4

),

changes as (

    select
        _batch,
        cast(sum(was_there) as bigint) as tags_before,
        {{ share('sum(is_there)', 'sum(was_there)') }} as tags_multiple,
        avg(case when is_there = 1 then cast(length(tag) as double) end)
        / nullif(avg(case when was_there = 1 then cast(length(tag) as double) end), 0) as length_multiple,
        {{ share('count(case when is_there = 1 and is_known = 1 then tag end)', 'sum(is_there)') }} as known_word_share,
        {{ share('sum(was_there * is_there)', 'sum(was_there)') }} as same_tag_share,
        count(case when time_before != time_after then 1 end) as moved_tags,
        {{ share('moved_tags', 'sum(was_there * is_there)') }} as moved_share
    from compared
    group by _batch

),

kept as (

    select
        _batch,
        {{ share('sum(was_there * is_there)', 'sum(was_there)') }} as kept_share,
        {{ share('sum(was_there * is_there)', 'least(sum(was_there), sum(is_there))') }} as overlap
    from (
        select _batch, user_id, movie_id, max(was_there) as was_there, max(is_there) as is_there
        from compared
        group by 1, 2, 3
    ) as pairs
    group by _batch

)

select *
from batches
left join totals using (_batch)
left join matched using (_batch)
left join changes using (_batch)
left join kept using (_batch)
