-- The dimension has each staged movie as its latest line has it, other movies only inferred, and each is summarised.
with

staged as (

    select
        movie_id,
        source_title,
        genres
    from {{ ref('stg_movies') }}
    qualify row_number() over (partition by movie_id order by _batch desc nulls last, _part desc nulls last, _row desc nulls last) = 1

)

select coalesce(movies.movie_id, staged.movie_id) as movie_id
from {{ ref('dim_movies') }} as movies
full outer join staged
    on movies.movie_id = staged.movie_id
left join {{ ref('movie_ratings') }} as summaries
    on movies.movie_id = summaries.movie_id
where movies.movie_id is null
    or movies.is_inferred != (staged.movie_id is null)
    or movies.source_title is distinct from staged.source_title
    or movies.genres is distinct from staged.genres
    or summaries.movie_id is null
