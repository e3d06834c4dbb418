with

batches as ({{ unprofiled_batches('genome_scores', rows_as='scores') }}),

genome_tags as ({{ keys_held('genome_tags', 'tag_id') }}),

listed as ({{ keys_held('movies', 'movie_id') }}),

---------- what the batch brought

by_movie as (

    select
        scores._batch,
        scores.movie_id,
        count(*) as scores,
        count(*) - count(genome_tags.tag_id) as scores_of_unknown_tags,
        sum(scores.relevance) as relevance,
        sum(scores.relevance * scores.relevance) as square
    from ({{ unprofiled_rows('genome_scores') }}) as scores
    left join genome_tags
        on scores._batch = genome_tags._batch
        and scores.tag_id = genome_tags.tag_id
    group by 1, 2

),

totals as (

    select
        by_movie._batch,
        count(*) as movies,
        {{ share('sum(by_movie.relevance)', 'sum(by_movie.scores)') }} as mean_relevance,
        sqrt(greatest({{ share('sum(by_movie.square)', 'sum(by_movie.scores)') }} - mean_relevance * mean_relevance, 0))
            as stddev_relevance,
        cast(sum(by_movie.scores_of_unknown_tags) as bigint) as scores_of_unknown_tags,
        {{ share('sum(by_movie.scores_of_unknown_tags)', 'sum(by_movie.scores)') }} as share_of_unknown_tags,
        cast(sum(case when listed.movie_id is null then by_movie.scores else 0 end) as bigint) as scores_of_unlisted_movies,
        {{ share('scores_of_unlisted_movies', 'sum(by_movie.scores)') }} as share_of_unlisted_movies
    from by_movie
    left join listed
        on by_movie._batch = listed._batch
        and by_movie.movie_id = listed.movie_id
    group by by_movie._batch

),

-- A delta adds to the scores that a movie has: those that it had when the batch came count.
gaps as (

    select
        by_movie._batch,
        count(case when coalesce(held.scores, by_movie.scores) != tags.tags then 1 end) as incomplete_movies
    from by_movie
    left join (select _batch, count(*) as tags from genome_tags group by _batch) as tags
        on by_movie._batch = tags._batch
    left join (
        select content._batch, scores.movie_id, count(distinct scores.tag_id) as scores
        from ({{ content_batches('genome_scores', including=true) }}) as content
        inner join {{ source('raw', 'genome_scores') }} as scores
            on content.held_batch = scores._batch
        where content.mode = 'delta'
            and scores.movie_id in (select movie_id from by_movie)
        group by 1, 2
    ) as held
        on by_movie._batch = held._batch
        and by_movie.movie_id = held.movie_id
    group by by_movie._batch

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
left join gaps using (_batch)
left join changes using (_batch)
