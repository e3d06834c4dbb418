{%- set new_links = unprofiled_rows('links') -%}

with

batches as (

    {{ unprofiled_batches('links') }}

),

---------- what the batch brought

totals as (

    select
        _batch,
        count(*) as links,
        count(distinct movie_id) as linked_movies,
        count(imdb_id) as imdb_ids,
        count(tmdb_id) as tmdb_ids,
        count(distinct imdb_id) as different_imdb_ids,
        count(distinct tmdb_id) as different_tmdb_ids,
        count(case when length(imdb_id) < 7 then 1 end) as short_imdb_ids
    from {{ new_links }} as links
    group by _batch

),

listed as (

    {{ listed_movies() }}

),

linked as (

    select distinct
        content._batch,
        links.movie_id
    from {{ source('raw', 'links') }} as links
    inner join ({{ content_batches('links', including=true) }}) as content
        on links._batch = content.held_batch

),

coverage as (

    select
        listed._batch,
        count(*) as listed_movies,
        count(case when linked.movie_id is null then 1 end) as unlinked_movies
    from listed
    left join linked
        on listed._batch = linked._batch
        and listed.movie_id = linked.movie_id
    group by listed._batch

),

---------- what it does to the links that were there before

before as (

    select
        content._batch,
        content.mode,
        links.movie_id,
        links.imdb_id,
        links.tmdb_id
    from {{ source('raw', 'links') }} as links
    inner join ({{ content_batches('links') }}) as content
        on links._batch = content.held_batch
    qualify row_number() over (
        partition by content._batch, links.movie_id
        order by links._batch desc nulls last, links._part desc nulls last, links._row desc nulls last
    ) = 1

),

after as (

    select
        _batch,
        movie_id,
        imdb_id,
        tmdb_id
    from {{ new_links }} as links
    qualify row_number() over (partition by _batch, movie_id order by _part desc nulls last, _row desc nulls last) = 1

),

changes as (

    select
        before._batch,
        count(*) as links_before,
        count(case when after.movie_id is null and before.mode = 'full' then 1 end) as gone_links,
        count(case when after.imdb_id != before.imdb_id then 1 end) as other_imdb_ids,
        count(case when after.tmdb_id != before.tmdb_id then 1 end) as other_tmdb_ids
    from before
    left join after
        on before._batch = after._batch
        and before.movie_id = after.movie_id
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
    cast(coalesce(totals.links, 0) as bigint) as links,
    cast(totals.links - totals.linked_movies as bigint) as repeated_links,
    {{ share('totals.links - totals.linked_movies', 'totals.links') }} as repeated_share,
    cast(totals.short_imdb_ids as bigint) as short_imdb_ids,
    {{ share('totals.short_imdb_ids', 'totals.links') }} as short_imdb_share,
    {{ share('totals.links - totals.imdb_ids', 'totals.links') }} as share_without_imdb_id,
    {{ share('totals.links - totals.tmdb_ids', 'totals.links') }} as share_without_tmdb_id,
    1 - {{ share('totals.different_imdb_ids', 'totals.linked_movies') }} as shared_imdb_share,
    1 - {{ share('totals.different_tmdb_ids', 'totals.linked_movies') }} as shared_tmdb_share,
    cast(coverage.listed_movies as bigint) as listed_movies,
    {{ share('coverage.unlinked_movies', 'coverage.listed_movies') }} as unlinked_share,
    cast(changes.links_before as bigint) as links_before,
    {{ share('changes.gone_links', 'changes.links_before') }} as gone_share,
    {{ share('changes.other_imdb_ids', 'changes.links_before') }} as other_imdb_share,
    {{ share('changes.other_tmdb_ids', 'changes.links_before') }} as other_tmdb_share
from batches
left join totals
    on batches._batch = totals._batch
left join coverage
    on batches._batch = coverage._batch
left join changes
    on batches._batch = changes._batch
