{# The batches of a raw table that its profile does not have yet, as the ledger counts them. #}
{% macro unprofiled_batches(table_name) -%}
    select
        batches._batch,
        batches.batch_id,
        batches.as_of,
        batches.mode,
        ledger.rows_read,
        ledger.rows_loaded,
        ledger.rows_rejected
    from {{ source('raw', 'batches') }} as batches
    inner join {{ source('raw', 'load_ledger') }} as ledger
        on batches.batch_id = ledger.batch_id
        and batches.table_name = ledger.table_name
    where batches.table_name = '{{ table_name }}'
        and batches._batch > {{ newest_profile() }}
{%- endmacro %}

{# The rows that those batches brought. #}
{% macro unprofiled_rows(table_name) -%}
    (select * from {{ source('raw', table_name) }} where _batch > {{ newest_profile() }})
{%- endmacro %}

{# The newest batch that a profile has, as a literal, which engines prune by. #}
{% macro newest_profile() -%}
    {%- if not execute or not is_incremental() -%}{{ return(0) }}{%- endif -%}
    {{ return(run_query('select coalesce(max(_batch), 0) from ' ~ this).rows[0][0] | int) }}
{%- endmacro %}

{# Which batches a table's content was made of when each batch of `batches` came: the newest full one and the deltas
   since, up to the batch itself (`including`) or up to the one before it. No row: there was nothing. #}
{% macro content_batches(table_name, including=false) -%}
    select
        batches._batch,
        batches.mode,
        held._batch as held_batch
    from batches
    inner join {{ source('raw', 'batches') }} as held
        on held._batch {{ '<=' if including else '<' }} batches._batch
        and held.table_name = '{{ table_name }}'
    qualify held._batch >= max(case when held.mode = 'full' then held._batch end) over (partition by batches._batch)
{%- endmacro %}

{# The movies that were listed when each batch of `batches` came, the batch's own included. #}
{% macro listed_movies() -%}
    select distinct
        content._batch,
        movies.movie_id
    from ({{ content_batches('movies', including=true) }}) as content
    inner join {{ source('raw', 'movies') }} as movies
        on content.held_batch = movies._batch
{%- endmacro %}
