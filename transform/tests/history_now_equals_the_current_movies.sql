-- Time travel to now gives the current movies.
with

now as (select * from {{ as_of('dim_movies_history', snapshot_get_time(), literal=false) }} as history)

{{ differences('now', ref('int_movies'), 'movie_id, source_title, genres') }}
