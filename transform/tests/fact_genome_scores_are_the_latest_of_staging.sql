-- Movie by movie; above 2 million scores, of a sample of movies.
with

staged as (

    select
        movie_id,
        count(*) as scores,
        sum(relevance) as relevance
    from (
        select
            scores.movie_id,
            scores.relevance
        from {{ ref('stg_genome_scores') }} as scores
        inner join {{ ref('dim_tags') }} as tags
            on scores.genome_tag_id = tags.genome_tag_id
        where {{ in_sample('genome_scores', 'scores.movie_id') }}
        qualify row_number() over (
            partition by scores.movie_id, scores.genome_tag_id
            order by scores._batch desc nulls last, scores._part desc nulls last, scores._row desc nulls last
        ) = 1
    ) as latest
    group by movie_id

),

held as (

    select
        movie_id,
        count(*) as scores,
        sum(relevance) as relevance
    from {{ ref('fact_genome_scores') }}
    where {{ in_sample('genome_scores', 'movie_id') }}
    group by movie_id

)

select
    coalesce(staged.movie_id, held.movie_id) as movie_id,
    staged.scores as scores_in_staging,
    held.scores as scores_in_fact
from staged
full outer join held
    on staged.movie_id = held.movie_id
where staged.scores is distinct from held.scores
    or abs(staged.relevance - held.relevance) > 0.000001
