{%- set new_tags = unprofiled_rows('tags') -%}

with

batches as (

    {{ unprofiled_batches('tags') }}

),

---------- what the batch brought

listed as (

    {{ listed_movies() }}

),

lines as (

    select
        _batch,
        user_id,
        movie_id,
        tag,
        timestamp,
        count(*) as copies
    from {{ new_tags }} as tags
    group by 1, 2, 3, 4, 5

),

-- Day 9131 is 1 January 1995, when there was no MovieLens yet.
totals as (

    select
        lines._batch,
        sum(lines.copies) as tags,
        count(distinct lines.user_id) as users,
        sum(lines.copies - 1) as copied_tags,
        avg(cast(length(lines.tag) as double)) as mean_length,
        sum(case when coalesce(trim(lines.tag), '') = '' then lines.copies else 0 end) as blank_tags,
        sum(case when {{ is_unreadable('lines.tag') }} then lines.copies else 0 end) as unreadable_tags,
        sum(case when floor(lines.timestamp / 86400) < 9131 then lines.copies else 0 end) as tags_before_1995,
        sum(
            case
                when floor(lines.timestamp / 86400) > datediff('day', cast('1970-01-01' as datetime), batches.as_of) + 1
                    then lines.copies
                else 0
            end
        ) as tags_after_as_of,
        sum(case when listed.movie_id is null then lines.copies else 0 end) as tags_of_unlisted_movies
    from lines
    inner join batches
        on lines._batch = batches._batch
    left join listed
        on lines._batch = listed._batch
        and lines.movie_id = listed.movie_id
    group by lines._batch

),

by_length as (

    select
        _batch,
        length(tag) as tag_length,
        max(length(tag)) over (partition by _batch) as greatest_length,
        sum(copies) as tags
    from lines
    where tag is not null
    group by _batch, length(tag)

),

-- Lengths run out slowly; when many tags share the greatest length, they were cut there.
lengths as (

    select
        _batch,
        count(*) as different_lengths,
        sum(case when tag_length = greatest_length then tags else 0 end) as tags_of_greatest_length,
        sum(case when tag_length = greatest_length - 1 then tags else 0 end) as tags_one_shorter
    from by_length
    group by _batch

),

---------- do the tags of a full batch speak of the same users as the ratings?

rated as (

    select
        content._batch,
        ratings.user_id,
        ratings.movie_id
    from {{ source('raw', 'ratings') }} as ratings
    inner join ({{ content_batches('ratings', including=true) }}) as content
        on ratings._batch = content.held_batch

),

tagged as (

    select distinct
        lines._batch,
        lines.user_id,
        lines.movie_id
    from lines
    inner join batches
        on lines._batch = batches._batch
    where batches.mode = 'full'

),

matches as (

    select
        tagged._batch,
        steps.step,
        count(*) as matches
    from tagged
    cross join (
        select 0 as step
        union all
        select 1 as step
        union all
        select -1 as step
    ) as steps
    inner join rated
        on tagged._batch = rated._batch
        and tagged.user_id + steps.step = rated.user_id
        and tagged.movie_id = rated.movie_id
    group by 1, 2

),

matched as (

    select
        pairs._batch,
        pairs.tagged_pairs,
        coalesce(max(case when matches.step = 0 then matches.matches end), 0) as rated_pairs,
        coalesce(max(case when matches.step != 0 then matches.matches end), 0) as shifted_pairs
    from (select _batch, count(*) as tagged_pairs from tagged group by _batch) as pairs
    left join matches
        on pairs._batch = matches._batch
    group by 1, 2

),

---------- what a full batch does to the tags that it replaces

content as (

    select * from ({{ content_batches('tags') }}) as content
    where mode = 'full'

),

before as (

    select distinct
        content._batch,
        tags.user_id,
        tags.movie_id,
        lower(trim(tags.tag)) as tag
    from {{ source('raw', 'tags') }} as tags
    inner join content
        on tags._batch = content.held_batch

),

after as (

    select distinct
        lines._batch,
        lines.user_id,
        lines.movie_id,
        lower(trim(lines.tag)) as tag
    from lines
    inner join (select distinct _batch from content) as replacing
        on lines._batch = replacing._batch

),

known_words as (

    select
        after._batch,
        count(*) as tags,
        avg(cast(length(after.tag) as double)) as mean_length,
        count(words.tag) as known_tags
    from after
    left join (select distinct _batch, tag from before) as words
        on after._batch = words._batch
        and after.tag = words.tag
    group by after._batch

),

totals_before as (

    select
        _batch,
        count(*) as tags,
        avg(cast(length(tag) as double)) as mean_length
    from before
    group by _batch

),

pairs as (

    select
        coalesce(before_pairs._batch, after_pairs._batch) as _batch,
        count(before_pairs.user_id) as pairs_before,
        count(after_pairs.user_id) as pairs_after,
        count(case when before_pairs.user_id = after_pairs.user_id then 1 end) as kept_pairs
    from (select distinct _batch, user_id, movie_id from before) as before_pairs
    full outer join (select distinct _batch, user_id, movie_id from after) as after_pairs
        on before_pairs._batch = after_pairs._batch
        and before_pairs.user_id = after_pairs.user_id
        and before_pairs.movie_id = after_pairs.movie_id
    group by 1

)

select
    batches._batch,
    batches.batch_id,
    batches.as_of,
    batches.mode,
    cast(batches.rows_read as bigint) as rows_read,
    cast(batches.rows_rejected as bigint) as rows_rejected,
    {{ share('batches.rows_rejected', 'batches.rows_read') }} as rejected_share,
    cast(coalesce(totals.tags, 0) as bigint) as tags,
    cast(totals.users as bigint) as users,
    totals.mean_length,
    cast(lengths.different_lengths as bigint) as different_lengths,
    cast(lengths.tags_of_greatest_length as bigint) as tags_of_greatest_length,
    cast(lengths.tags_one_shorter as bigint) as tags_one_shorter,
    {{ share('lengths.tags_of_greatest_length', 'totals.tags') }} as share_of_greatest_length,
    cast(totals.copied_tags as bigint) as copied_tags,
    {{ share('totals.copied_tags', 'totals.tags') }} as copied_share,
    cast(totals.blank_tags as bigint) as blank_tags,
    {{ share('totals.blank_tags', 'totals.tags') }} as blank_share,
    cast(totals.unreadable_tags as bigint) as unreadable_tags,
    {{ share('totals.unreadable_tags', 'totals.tags') }} as unreadable_share,
    cast(totals.tags_before_1995 as bigint) as tags_before_1995,
    {{ share('totals.tags_before_1995', 'totals.tags') }} as share_before_1995,
    cast(totals.tags_after_as_of as bigint) as tags_after_as_of,
    {{ share('totals.tags_after_as_of', 'totals.tags') }} as share_after_as_of,
    cast(totals.tags_of_unlisted_movies as bigint) as tags_of_unlisted_movies,
    {{ share('totals.tags_of_unlisted_movies', 'totals.tags') }} as share_of_unlisted_movies,
    cast(matched.tagged_pairs as bigint) as tagged_pairs,
    {{ share('matched.rated_pairs', 'matched.tagged_pairs') }} as rated_share,
    cast(matched.shifted_pairs as bigint) as shifted_pairs,
    {{ share('matched.shifted_pairs', 'matched.rated_pairs') }} as shifted_multiple,
    cast(totals_before.tags as bigint) as tags_before,
    {{ share('known_words.tags', 'totals_before.tags') }} as tags_multiple,
    known_words.mean_length / nullif(totals_before.mean_length, 0) as length_multiple,
    {{ share('known_words.known_tags', 'known_words.tags') }} as known_word_share,
    {{ share('pairs.kept_pairs', 'pairs.pairs_before') }} as kept_share,
    {{ share('pairs.kept_pairs', 'least(pairs.pairs_before, pairs.pairs_after)') }} as overlap
from batches
left join totals
    on batches._batch = totals._batch
left join lengths
    on batches._batch = lengths._batch
left join matched
    on batches._batch = matched._batch
left join totals_before
    on batches._batch = totals_before._batch
left join known_words
    on batches._batch = known_words._batch
left join pairs
    on batches._batch = pairs._batch
