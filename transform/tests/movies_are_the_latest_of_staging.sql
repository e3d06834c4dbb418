with

latest as ({{ latest(ref('stg_movies'), 'movie_id') }}),

listed as (select * from {{ ref('dim_movies') }} where not is_inferred)

{{ differences('latest', 'listed', 'movie_id, source_title, title, release_year, genres') }}
