{# The batches of a raw table that its profile does not have yet, as the ledger counts them: a profile's first columns.
   `rows_as` is what the profile calls the rows that a batch brought. #}
{% macro unprofiled_batches(table_name, rows_as) -%}
    select
        batches._batch,
        batches.batch_id,
        batches.as_of,
        batches.mode,
        {{ share('ledger.rows_rejected', 'ledger.rows_read') }} as rejected_share,
        ledger.rows_loaded as {{ rows_as }}
    from {{ source('raw', 'batches') }} as batches
    inner join {{ source('raw', 'load_ledger') }} as ledger
        on batches.batch_id = ledger.batch_id
        and batches.table_name = ledger.table_name
    where batches.table_name = '{{ table_name }}'
        {%- if is_incremental() %}
        and batches._batch > (select coalesce(max(_batch), 0) from {{ this }})
        {%- endif %}
{%- endmacro %}

{# The rows that those batches brought. The newest batch that the profile has is a literal, which engines prune by. #}
{% macro unprofiled_rows(table_name) -%}
    {%- set newest = run_query('select max(_batch) from ' ~ this).rows[0][0] if execute and is_incremental() -%}
    select * from {{ source('raw', table_name) }}
    where _batch > {{ (newest or 0) | int }}
{%- endmacro %}
