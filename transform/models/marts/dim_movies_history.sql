{%- set history = '(partition by movie_id order by valid_from nulls first)' -%}

with

compared as (

    select
        *,
        lag(source_title) over {{ history }} as previous_title,
        lag(genres) over {{ history }} as previous_genres,
        lag(valid_to) over {{ history }} as previous_valid_to,
        row_number() over {{ history }} as version
    from {{ ref('snap_movies') }}

)

select
    movie_id,
    cast(version as integer) as version,
    source_title,
    genres,
    valid_from,
    valid_to,
    valid_to is null as is_current,
    case
        when version = 1 then 'added'
        when previous_valid_to < valid_from then 'returned'
        when previous_title != source_title and coalesce(previous_genres, '') = coalesce(genres, '')
            then 'title: ' || previous_title || ' → ' || source_title
        when previous_title = source_title
            then 'genres: ' || coalesce(previous_genres, 'none') || ' → ' || coalesce(genres, 'none')
        else 'title: ' || previous_title || ' → ' || source_title
            || '; genres: ' || coalesce(previous_genres, 'none') || ' → ' || coalesce(genres, 'none')
    end as change
from compared
