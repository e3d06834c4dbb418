-- Versions are numbered, and each differs from the one before it; only a full batch ends a movie's last one.
{%- set history = '(partition by movie_id order by valid_from nulls first)' %}

with

versions as (

    select
        *,
        row_number() over {{ history }} as place,
        lag(valid_to) over {{ history }} as valid_to_before,
        lag(source_title) over {{ history }} as title_before,
        lag(genres) over {{ history }} as genres_before,
        lead(valid_from) over {{ history }} as next_valid_from
    from {{ ref('dim_movies_history') }}

),

faults as (

    select
        versions.movie_id,
        versions.valid_from,
        case
            when versions.version != versions.place then 'is not numbered in order'
            when versions.is_current != (versions.valid_to is null) then 'is current and has ended, or neither'
            when versions.valid_to_before = versions.valid_from
                and versions.title_before = versions.source_title
                and versions.genres_before is not distinct from versions.genres
                then 'equals the one before it'
            when coalesce(versions.next_valid_from > versions.valid_to, versions.valid_to is not null)
                and replaced.effective_at is null
                then 'ended though no whole table was landed'
        end as fault
    from versions
    left join {{ source('raw', 'batches') }} as replaced
        on versions.valid_to = replaced.effective_at
        and replaced.table_name = 'movies'
        and replaced.mode = 'full'

    union all

    select
        movie_id,
        valid_from,
        'is in dim_movies_history or in the snapshot alone' as fault
    from ({{ differences(ref('dim_movies_history'), ref('snap_movies'), 'movie_id, valid_from, valid_to') }}) as found

)

select * from faults
where fault is not null
