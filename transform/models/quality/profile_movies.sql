{%- set no_genres = "('', '(no genres listed)')" -%}

with

batches as (

    {{ unprofiled_batches('movies', rows_as='movies') }}

),

new_movies as (

    {{ unprofiled_rows('movies') }}

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
        count(*) - count(distinct movies.movie_id) as repeated_movies,
        {{ share('repeated_movies', 'count(*)') }} as repeated_share,
        count(case when coalesce(trim(movies.title), '') = '' then 1 end) as movies_without_title,
        {{ share('movies_without_title', 'count(*)') }} as share_without_title,
        1 - {{ share_where('try_cast(left(right(trim(movies.title), 5), 4) as integer) between 1870 and 2099') }} as share_without_year,
        count(case when {{ is_unreadable('movies.title') }} then 1 end) as unreadable_titles,
        {{ share('unreadable_titles', 'count(*)') }} as unreadable_share,
        {{ share_where("trim(coalesce(movies.genres, '')) in " ~ no_genres) }} as share_without_genres,
        count(case when checked_lists.unknown_genres > 0 then 1 end) as movies_with_unknown_genre,
        {{ share('movies_with_unknown_genre', 'count(*)') }} as share_with_unknown_genre,
        count(case when checked_lists.repeated_genres > 0 then 1 end) as movies_with_repeated_genre,
        {{ share('movies_with_repeated_genre', 'count(*)') }} as share_with_repeated_genre
    from new_movies as movies
    left join checked_lists
        on movies.genres = checked_lists.genres
    group by movies._batch

),

---------- what it does to the movies that were listed before

before as (

    {{ rows_before('movies', 'movie_id') }}

),

after as (

    {{ latest('new_movies', '_batch, movie_id') }}

),

compared as (

    select
        before._batch,
        before.mode,
        before.genres as genres_before,
        after.genres as genres_after,
        after.movie_id is null as is_gone,
        after.title != before.title as is_retitled,
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
        {{ share_where("is_gone and mode = 'full'") }} as gone_share,
        {{ share_where('is_retitled') }} as retitled_share,
        {{ share_where('has_other_genres') }} as share_with_other_genres
    from compared
    group by _batch

),

-- How many of the movies that stayed have a genre, before and after.
genres as (

    select
        kept._batch,
        listed_genres.genre,
        sum(kept.movies_before) >= 20 as is_large,
        {{ share('sum(kept.movies_after)', 'sum(kept.movies_before)') }} as multiple
    from (
        select _batch, genres_before as genres, 1 as movies_before, 0 as movies_after from compared
        where mode = 'full' and not is_gone

        union all

        select _batch, genres_after as genres, 0 as movies_before, 1 as movies_after from compared
        where mode = 'full' and not is_gone
    ) as kept
    inner join listed_genres
        on kept.genres = listed_genres.genres
    group by 1, 2

),

worst_genres as (

    select
        _batch,
        min(case when is_large and multiple = least_multiple then genre end) as least_genre,
        min(case when is_large then multiple end) as least_genre_multiple,
        min(case when not is_large then multiple end) as least_small_genre_multiple
    from (select *, min(multiple) over (partition by _batch, is_large) as least_multiple from genres) as compared_genres
    group by _batch

)

select *
from batches
left join totals using (_batch)
left join changes using (_batch)
left join worst_genres using (_batch)
