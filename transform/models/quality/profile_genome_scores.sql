{%- set new_scores = unprofiled_rows('genome_scores') -%}

with

batches as ({{ unprofiled_batches('genome_scores', rows_as='scores') }}),

genome_tags as ({{ keys_held('genome_tags', 'tag_id') }}),

listed as ({{ keys_held('movies', 'movie_id') }}),

---------- what the batch brought

by_movie as (

    select
        _batch,
        movie_id,
        count(*) as scores,
        sum(relevance) as relevance,
        sum(relevance * relevance) as square
    from ({{ new_scores }}) as scores
    group by 1, 2

),

totals as (

    select
        by_movie._batch,
        count(*) as movies,
        {{ share('sum(by_movie.relevance)', 'sum(by_movie.scores)') }} as mean_relevance,
        sqrt(greatest({{ share('sum(by_movie.square)', 'sum(by_movie.scores)') }} - mean_relevance * mean_relevance, 0))
            as stddev_relevance,
        {{ count_and_share(
            'listed.movie_id is null', 'scores_of_unlisted_movies', 'share_of_unlisted_movies', weight='by_movie.scores'
        ) }}
    from by_movie
    left join listed
        on by_movie._batch = listed._batch
        and by_movie.movie_id = listed.movie_id
    group by by_movie._batch

),

unknown_tags as (

    select
        by_tag._batch,
        {{ count_and_share(
            'genome_tags.tag_id is null', 'scores_of_unknown_tags', 'share_of_unknown_tags', weight='by_tag.scores'
        ) }}
    from (
        select _batch, tag_id, count(*) as scores from ({{ new_scores }}) as scores
        group by 1, 2
    ) as by_tag
    left join genome_tags
        on by_tag._batch = genome_tags._batch
        and by_tag.tag_id = genome_tags.tag_id
    group by by_tag._batch

),

-- The scores of the batch's movies when it came: a delta adds to those that a movie has.
matrix as (

    select
        by_movie._batch,
        by_movie.scores
    from by_movie
    inner join batches
        on by_movie._batch = batches._batch
    where batches.mode = 'full'

    union all

    select
        by_movie._batch,
        count(distinct scores.tag_id) as scores
    from by_movie
    inner join ({{ content_batches('genome_scores', including=true) }}) as content
        on by_movie._batch = content._batch
    inner join {{ source('raw', 'genome_scores') }} as scores
        on content.held_batch = scores._batch
        and by_movie.movie_id = scores.movie_id
    where content.mode = 'delta'
    group by by_movie._batch, by_movie.movie_id

),

gaps as (

    select
        matrix._batch,
        count(case when matrix.scores != tags.tags then 1 end) as incomplete_movies
    from matrix
    left join (select _batch, count(*) as tags from genome_tags group by _batch) as tags
        on matrix._batch = tags._batch
    group by matrix._batch

),

---------- what a full batch does to the scores that it replaces

before as (

    select
        _batch,
        movie_id,
        avg(relevance) as relevance
    from ({{ rows_before(
        'genome_scores', 'movie_id, tag_id', where="content.mode = 'full' and " ~ in_sample('genome_scores', 'movie_id')
    ) }}) as latest
    group by 1, 2

),

changes as (

    select
        before._batch,
        count(*) as movies_before,
        {{ count_and_share('by_movie.movie_id is null', 'gone_movies', 'gone_share') }},
        avg(abs({{ share('by_movie.relevance', 'by_movie.scores') }} - before.relevance)) as relevance_change
    from before
    inner join listed
        on before._batch = listed._batch
        and before.movie_id = listed.movie_id
    left join by_movie
        on before._batch = by_movie._batch
        and before.movie_id = by_movie.movie_id
    group by before._batch

)

select *
from batches
left join totals using (_batch)
left join unknown_tags using (_batch)
left join gaps using (_batch)
left join changes using (_batch)
