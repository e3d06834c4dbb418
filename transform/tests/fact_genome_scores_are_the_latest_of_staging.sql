-- Every value is compared; above 2 million scores, those of a sample of movies.
with

staged as (

    select
        scores.*,
        tags.tag_id
    from {{ ref('stg_genome_scores') }} as scores
    inner join {{ ref('int_genome_tags') }} as tags
        on scores.genome_tag_id = tags.genome_tag_id
    where {{ in_sample('genome_scores', 'scores.movie_id') }}

),

latest as ({{ latest('staged', 'movie_id, tag_id') }}),

held as (select * from {{ ref('fact_genome_scores') }} where {{ in_sample('genome_scores', 'movie_id') }})

{{ differences('latest', 'held', 'movie_id, tag_id, relevance') }}
