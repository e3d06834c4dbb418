{%- set new_movies = unprofiled_rows('movies') -%}
{%- set no_genres = "('', '(no genres listed)')" -%}

with

batches as (

    {{ unprofiled_batches('movies') }}

),

---------- what the batch brought

genre_lists as (

    select distinct genres
    from {{ source('raw', 'movies') }}
    where trim(coalesce(genres, '')) not in {{ no_genres }}

),

listed_genres as (

    {{ split_rows('genre_lists', 'genres', 'genres', '|', 'genre') }}

),

checked_lists as (

    select
        listed_genres.genres,
        count(*) - count(names.genre) as unknown_genres,
        length(listed_genres.genres) - length(replace(listed_genres.genres, '|', '')) + 1 - count(*) as repeated_genres
    from listed_genres
    left join {{ ref('genre_names') }} as names
        on listed_genres.genre = names.genre
    group by listed_genres.genres

),

totals as (

    select
        movies._batch,
        count(*) as movies,
        count(*) - count(distinct movies.movie_id) as repeated_movies,
        count(case when coalesce(trim(movies.title), '') = '' then 1 end) as movies_without_title,
        count(case when coalesce(
            try_cast(left(right(trim(movies.title), 5), 4) as integer) not between 1870 and 2099, true
        ) then 1 end) as titles_without_year,
        count(case when {{ is_unreadable('movies.title') }} then 1 end) as unreadable_titles,
        count(case when trim(coalesce(movies.genres, '')) in {{ no_genres }} then 1 end) as movies_without_genres,
        count(case when checked_lists.unknown_genres > 0 then 1 end) as movies_with_unknown_genre,
        count(case when checked_lists.repeated_genres > 0 then 1 end) as movies_with_repeated_genre
    from {{ new_movies }} as movies
    left join checked_lists
        on movies.genres = checked_lists.genres
    group by movies._batch

),

---------- what it does to the movies that were listed before

content as (

    {{ content_batches('movies') }}

),

before as (

    select
        content._batch,
        content.mode,
        movies.movie_id,
        movies.title,
        movies.genres
    from {{ source('raw', 'movies') }} as movies
    inner join content
        on movies._batch = content.held_batch
    qualify row_number() over (
        partition by content._batch, movies.movie_id
        order by movies._batch desc nulls last, movies._part desc nulls last, movies._row desc nulls last
    ) = 1

),

after as (

    select
        _batch,
        movie_id,
        title,
        genres
    from {{ new_movies }} as movies
    qualify row_number() over (partition by _batch, movie_id order by _part desc nulls last, _row desc nulls last) = 1

),

compared as (

    select
        before._batch,
        before.mode,
        before.genres as genres_before,
        after.genres as genres_after,
        after.movie_id is null as is_gone,
        coalesce(after.title != before.title, false) as is_retitled,
        after.movie_id is not null and coalesce(after.genres, '') != coalesce(before.genres, '') as has_other_genres
    from before
    left join after
        on before._batch = after._batch
        and before.movie_id = after.movie_id

),

changes as (

    select
        _batch,
        count(*) as movies_before,
        count(case when is_gone and mode = 'full' then 1 end) as gone_movies,
        count(case when is_retitled then 1 end) as retitled_movies,
        count(case when has_other_genres then 1 end) as movies_with_other_genres
    from compared
    group by _batch

),

-- How many of the movies that stayed have a genre, before and after.
genres as (

    select
        kept._batch,
        listed_genres.genre,
        sum(kept.movies_before) as movies_before,
        {{ share('sum(kept.movies_after)', 'sum(kept.movies_before)') }} as multiple,
        row_number() over (
            partition by kept._batch
            order by
                case when sum(kept.movies_before) >= 20 then {{ share('sum(kept.movies_after)', 'sum(kept.movies_before)') }} end
                    nulls last,
                listed_genres.genre
        ) as place
    from (
        select
            _batch,
            genres_before as genres,
            count(*) as movies_before,
            0 as movies_after
        from compared
        where mode = 'full' and not is_gone
        group by 1, 2

        union all

        select
            _batch,
            genres_after as genres,
            0 as movies_before,
            count(*) as movies_after
        from compared
        where mode = 'full' and not is_gone
        group by 1, 2
    ) as kept
    inner join listed_genres
        on kept.genres = listed_genres.genres
    group by 1, 2

),

worst_genres as (

    select
        _batch,
        min(case when movies_before >= 20 and place = 1 then genre end) as least_genre,
        min(case when movies_before >= 20 then multiple end) as least_genre_multiple,
        min(case when movies_before < 20 then multiple end) as least_small_genre_multiple
    from genres
    group by _batch

)

select
    batches._batch,
    batches.batch_id,
    batches.as_of,
    batches.mode,
    cast(batches.rows_read as bigint) as rows_read,
    cast(batches.rows_rejected as bigint) as rows_rejected,
    {{ share('batches.rows_rejected', 'batches.rows_read') }} as rejected_share,
    cast(coalesce(totals.movies, 0) as bigint) as movies,
    cast(totals.repeated_movies as bigint) as repeated_movies,
    {{ share('totals.repeated_movies', 'totals.movies') }} as repeated_share,
    cast(totals.movies_without_title as bigint) as movies_without_title,
    {{ share('totals.movies_without_title', 'totals.movies') }} as share_without_title,
    {{ share('totals.titles_without_year', 'totals.movies') }} as share_without_year,
    cast(totals.unreadable_titles as bigint) as unreadable_titles,
    {{ share('totals.unreadable_titles', 'totals.movies') }} as unreadable_share,
    {{ share('totals.movies_without_genres', 'totals.movies') }} as share_without_genres,
    cast(totals.movies_with_unknown_genre as bigint) as movies_with_unknown_genre,
    {{ share('totals.movies_with_unknown_genre', 'totals.movies') }} as share_with_unknown_genre,
    cast(totals.movies_with_repeated_genre as bigint) as movies_with_repeated_genre,
    {{ share('totals.movies_with_repeated_genre', 'totals.movies') }} as share_with_repeated_genre,
    cast(changes.movies_before as bigint) as movies_before,
    {{ share('changes.gone_movies', 'changes.movies_before') }} as gone_share,
    {{ share('changes.retitled_movies', 'changes.movies_before') }} as retitled_share,
    {{ share('changes.movies_with_other_genres', 'changes.movies_before') }} as share_with_other_genres,
    worst_genres.least_genre,
    worst_genres.least_genre_multiple,
    worst_genres.least_small_genre_multiple
from batches
left join totals
    on batches._batch = totals._batch
left join changes
    on batches._batch = changes._batch
left join worst_genres
    on batches._batch = worst_genres._batch
