with

batches as ({{ unprofiled_batches('links', rows_as='links') }}),

new_links as ({{ unprofiled_rows('links') }}),

listed as ({{ keys_held('movies', 'movie_id') }}),

linked as ({{ keys_held('links', 'movie_id') }}),

totals as (

    select
        _batch,
        count(*) - count(distinct movie_id) as repeated_links,
        {{ share('repeated_links', 'count(*)') }} as repeated_share,
        {{ count_and_share('length(imdb_id) < 7', 'short_imdb_ids', 'short_imdb_share') }},
        {{ share_where('imdb_id is null') }} as share_without_imdb_id,
        {{ share_where('tmdb_id is null') }} as share_without_tmdb_id,
        1 - {{ share('count(distinct imdb_id)', 'count(distinct movie_id)') }} as shared_imdb_share,
        1 - {{ share('count(distinct tmdb_id)', 'count(distinct movie_id)') }} as shared_tmdb_share
    from new_links
    group by _batch

),

coverage as (

    select
        listed._batch,
        count(*) as listed_movies,
        {{ share_where('linked.movie_id is null') }} as unlinked_share
    from listed
    left join linked
        on listed._batch = linked._batch
        and listed.movie_id = linked.movie_id
    group by listed._batch

),

changes as (

    select
        before._batch,
        count(*) as links_before,
        {{ share_where("after.movie_id is null and before.mode = 'full'") }} as gone_share,
        {{ share_where('after.imdb_id != before.imdb_id') }} as other_imdb_share,
        {{ share_where('after.tmdb_id != before.tmdb_id') }} as other_tmdb_share
    from {{ before_and_after('links', 'movie_id', 'new_links') }}
    group by before._batch

)

select *
from batches
left join totals using (_batch)
left join coverage using (_batch)
left join changes using (_batch)
