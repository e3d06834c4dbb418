{%- set new_scores = unprofiled_rows('genome_scores') -%}
{%- set in_sample = in_sample('genome_scores', 'scores.movie_id') -%}

with

batches as (

    {{ unprofiled_batches('genome_scores') }}

),

---------- what the batch brought

by_movie as (

    select
        _batch,
        movie_id,
        count(*) as scores,
        sum(relevance) as relevance,
        sum(relevance * relevance) as square
    from {{ new_scores }} as scores
    group by 1, 2

),

totals as (

    select
        _batch,
        count(*) as movies,
        sum(scores) as scores,
        sum(relevance) / nullif(sum(scores), 0) as mean_relevance,
        sum(square) / nullif(sum(scores), 0) as mean_square
    from by_movie
    group by _batch

),

listed as (

    {{ listed_movies() }}

),

unlisted as (

    select
        by_movie._batch,
        sum(by_movie.scores) as scores
    from by_movie
    left join listed
        on by_movie._batch = listed._batch
        and by_movie.movie_id = listed.movie_id
    where listed.movie_id is null
    group by by_movie._batch

),

genome_tags as (

    select distinct
        content._batch,
        tags.tag_id
    from {{ source('raw', 'genome_tags') }} as tags
    inner join ({{ content_batches('genome_tags', including=true) }}) as content
        on tags._batch = content.held_batch

),

unknown_tags as (

    select
        by_tag._batch,
        sum(by_tag.scores) as scores
    from (
        select
            _batch,
            tag_id,
            count(*) as scores
        from {{ new_scores }} as scores
        group by 1, 2
    ) as by_tag
    left join genome_tags
        on by_tag._batch = genome_tags._batch
        and by_tag.tag_id = genome_tags.tag_id
    where genome_tags.tag_id is null
    group by by_tag._batch

),

-- The scores of the batch's movies when it came: a delta adds to those that a movie has.
matrix as (

    select
        by_movie._batch,
        by_movie.movie_id,
        by_movie.scores
    from by_movie
    inner join batches
        on by_movie._batch = batches._batch
    where batches.mode = 'full'

    union all

    select
        by_movie._batch,
        by_movie.movie_id,
        count(distinct scores.tag_id) as scores
    from by_movie
    inner join ({{ content_batches('genome_scores', including=true) }}) as content
        on by_movie._batch = content._batch
    inner join {{ source('raw', 'genome_scores') }} as scores
        on content.held_batch = scores._batch
        and by_movie.movie_id = scores.movie_id
    where content.mode = 'delta'
    group by 1, 2

),

gaps as (

    select
        matrix._batch,
        count(*) as incomplete_movies
    from matrix
    inner join (select _batch, count(*) as tags from genome_tags group by _batch) as tags
        on matrix._batch = tags._batch
    where matrix.scores != tags.tags
    group by matrix._batch

),

---------- what a full batch does to the scores that it replaces

content as (

    select * from ({{ content_batches('genome_scores') }}) as content
    where mode = 'full'

),

before as (

    select
        _batch,
        movie_id,
        avg(relevance) as relevance
    from (
        select
            content._batch,
            scores.movie_id,
            scores.relevance
        from {{ source('raw', 'genome_scores') }} as scores
        inner join content
            on scores._batch = content.held_batch
        where {{ in_sample }}
        qualify row_number() over (
            partition by content._batch, scores.movie_id, scores.tag_id
            order by scores._batch desc nulls last, scores._part desc nulls last, scores._row desc nulls last
        ) = 1
    ) as latest
    group by 1, 2

),

changes as (

    select
        before._batch,
        count(*) as movies_before,
        count(case when by_movie.movie_id is null then 1 end) as gone_movies,
        avg(abs(by_movie.relevance / nullif(by_movie.scores, 0) - before.relevance)) as relevance_change
    from before
    inner join listed
        on before._batch = listed._batch
        and before.movie_id = listed.movie_id
    left join by_movie
        on before._batch = by_movie._batch
        and before.movie_id = by_movie.movie_id
    group by before._batch

)

select
    batches._batch,
    batches.batch_id,
    batches.as_of,
    batches.mode,
    cast(batches.rows_read as bigint) as rows_read,
    cast(batches.rows_rejected as bigint) as rows_rejected,
    {{ share('batches.rows_rejected', 'batches.rows_read') }} as rejected_share,
    cast(coalesce(totals.scores, 0) as bigint) as scores,
    cast(totals.movies as bigint) as movies,
    totals.mean_relevance,
    sqrt(greatest(totals.mean_square - totals.mean_relevance * totals.mean_relevance, 0)) as stddev_relevance,
    cast(coalesce(gaps.incomplete_movies, 0) as bigint) as incomplete_movies,
    cast(coalesce(unknown_tags.scores, 0) as bigint) as scores_of_unknown_tags,
    {{ share('coalesce(unknown_tags.scores, 0)', 'totals.scores') }} as share_of_unknown_tags,
    cast(coalesce(unlisted.scores, 0) as bigint) as scores_of_unlisted_movies,
    {{ share('coalesce(unlisted.scores, 0)', 'totals.scores') }} as share_of_unlisted_movies,
    cast(changes.movies_before as bigint) as movies_before,
    cast(changes.gone_movies as bigint) as gone_movies,
    {{ share('changes.gone_movies', 'changes.movies_before') }} as gone_share,
    changes.relevance_change
from batches
left join totals
    on batches._batch = totals._batch
left join unlisted
    on batches._batch = unlisted._batch
left join unknown_tags
    on batches._batch = unknown_tags._batch
left join gaps
    on batches._batch = gaps._batch
left join changes
    on batches._batch = changes._batch
