with

movies_in_facts as (

    select movie_id from {{ ref('fact_ratings') }}
    union distinct
    select movie_id from {{ ref('fact_movie_tags') }}
    union distinct
    select movie_id from {{ ref('fact_genome_scores') }}

)

select
    coalesce(movies.movie_id, movies_in_facts.movie_id) as movie_id,
    movies.movie_id is null as is_inferred,
    movies.title,
    movies.source_title,
    movies.release_year,
    movies.genres,
    links.imdb_id,
    links.tmdb_id
from {{ ref('int_movies') }} as movies
full outer join movies_in_facts
    on movies.movie_id = movies_in_facts.movie_id
left join {{ ref('int_links') }} as links
    on movies.movie_id = links.movie_id
