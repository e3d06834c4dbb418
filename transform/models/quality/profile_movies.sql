{%- set no_genres = "trim(coalesce(genres, '')) in ('', '(no genres listed)')" -%}

with

batches as ({{ unprofiled_batches('movies', rows_as='movies') }}),

new_movies as ({{ unprofiled_rows('movies') }}),

---------- what the batch brought

genre_lists as (select distinct genres from {{ source('raw', 'movies') }} where not {{ no_genres }}),

listed_genres as ({{ split_rows('genre_lists', 'genres', 'genres', '|', 'genre') }}),

checked_lists as (

    select
        listed_genres.genres as genre_list,
        count(*) - count(names.genre) as unknown_genres,
        length(listed_genres.genres) - length(replace(listed_genres.genres, '|', '')) + 1 - count(*) as repeated_genres
    from listed_genres
    left join {{ ref('genre_names') }} as names
        on listed_genres.genre = names.genre
    group by listed_genres.genres

),

totals as (

    select
        _batch,
        count(*) - count(distinct movie_id) as repeated_movies,
        {{ share('repeated_movies', 'count(*)') }} as repeated_share,
        {{ count_and_share("coalesce(trim(title), '') = ''", 'movies_without_title', 'share_without_title') }},
        1 - {{ share_where('try_cast(left(right(trim(title), 5), 4) as integer) between 1870 and 2099') }} as share_without_year,
        {{ count_and_share(is_unreadable('title'), 'unreadable_titles', 'unreadable_share') }},
        {{ share_where(no_genres) }} as share_without_genres,
        {{ count_and_share('unknown_genres > 0', 'movies_with_unknown_genre', 'share_with_unknown_genre') }},
        {{ count_and_share('repeated_genres > 0', 'movies_with_repeated_genre', 'share_with_repeated_genre') }}
    from new_movies
    left join checked_lists
        on new_movies.genres = checked_lists.genre_list
    group by _batch

),

---------- what it does to the movies that were listed before

compared as (

    select
        before._batch,
        before.mode,
        before.genres as genres_before,
        after.genres as genres_after,
        after.movie_id is null as is_gone,
        after.title != before.title as is_retitled
    from {{ before_and_after('movies', 'movie_id', 'new_movies') }}

),

changes as (

    select
        _batch,
        count(*) as movies_before,
        {{ share_where("is_gone and mode = 'full'") }} as gone_share,
        {{ share_where('is_retitled') }} as retitled_share,
        {{ share_where("not is_gone and coalesce(genres_after, '') != coalesce(genres_before, '')") }}
            as share_with_other_genres
    from compared
    group by _batch

),

kept as (select * from compared where mode = 'full' and not is_gone),

-- How many of the movies that stayed have a genre, before and after.
worst_genres as (

    select
        _batch,
        max(case when place = 1 and movies_before >= 20 then genre end) as least_genre,
        min(case when movies_before >= 20 then multiple end) as least_genre_multiple,
        min(case when movies_before < 20 then multiple end) as least_small_genre_multiple
    from (
        select
            both_sides._batch,
            listed_genres.genre,
            sum(both_sides.was_there) as movies_before,
            {{ share('sum(1 - both_sides.was_there)', 'sum(both_sides.was_there)') }} as multiple,
            row_number() over (
                partition by both_sides._batch
                order by
                    case when sum(both_sides.was_there) >= 20 then 0 else 1 end,
                    {{ share('sum(1 - both_sides.was_there)', 'sum(both_sides.was_there)') }},
                    listed_genres.genre
            ) as place
        from (
            select _batch, genres_before as genres, 1 as was_there from kept
            union all
            select _batch, genres_after as genres, 0 as was_there from kept
        ) as both_sides
        inner join listed_genres
            on both_sides.genres = listed_genres.genres
        group by 1, 2
    ) as genres
    group by _batch

)

select *
from batches
left join totals using (_batch)
left join changes using (_batch)
left join worst_genres using (_batch)
