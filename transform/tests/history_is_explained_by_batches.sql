-- dim_movies_history is the snapshot, with its versions numbered. Each differs from the one before it; only a full batch
-- ends a movie's last one.
{%- set columns = 'movie_id, source_title, genres, valid_from, valid_to, version, is_current' %}
{%- set history = '(partition by movie_id order by valid_from nulls first)' %}

with

versions as (

    select
        *,
        row_number() over {{ history }} as version,
        valid_to is null as is_current,
        lead(valid_from) over {{ history }} as next_valid_from,
        lead(source_title) over {{ history }} as next_title,
        lead(genres) over {{ history }} as next_genres
    from {{ ref('snap_movies') }}

)

select
    movie_id,
    valid_from,
    'is in dim_movies_history or in the snapshot alone' as fault
from ({{ differences('versions', ref('dim_movies_history'), columns) }}) as found

union all

select
    movie_id,
    valid_from,
    'equals the next one' as fault
from versions
where valid_to = next_valid_from
    and source_title = next_title
    and genres is not distinct from next_genres

union all

select
    movie_id,
    valid_from,
    'ended though no whole table was landed' as fault
from versions
where coalesce(valid_to < next_valid_from, valid_to is not null)
    and valid_to not in (
        select effective_at from {{ source('raw', 'batches') }} where table_name = 'movies' and mode = 'full'
    )
