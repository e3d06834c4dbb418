-- Time travel to now gives the current dimension.
with

now as (

    select
        movie_id,
        source_title,
        genres
    from {{ as_of('dim_movies_history', snapshot_get_time(), literal=false) }} as history

),

movies as (

    select
        movie_id,
        source_title,
        genres
    from {{ ref('dim_movies') }}
    where not is_inferred

)

(
    select * from now
    except
    select * from movies
)
union all
(
    select * from movies
    except
    select * from now
)
