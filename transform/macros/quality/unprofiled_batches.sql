{# The batches of a raw table that its profile does not have yet, as the ledger counts them: a profile's first columns.
   `rows_as` is what the profile calls the rows that a batch brought. #}
{% macro unprofiled_batches(table_name, rows_as) -%}
    select
        batches._batch,
        batches.batch_id,
        batches.as_of,
        batches.mode,
        ledger.rows_read,
        ledger.rows_rejected,
        {{ share('ledger.rows_rejected', 'ledger.rows_read') }} as rejected_share,
        ledger.rows_loaded as {{ rows_as }}
    from {{ source('raw', 'batches') }} as batches
    inner join {{ source('raw', 'load_ledger') }} as ledger
        on batches.batch_id = ledger.batch_id
        and batches.table_name = ledger.table_name
    where batches.table_name = '{{ table_name }}'
        and batches._batch > {{ newest_profile() }}
{%- endmacro %}

{# The rows that those batches brought. #}
{% macro unprofiled_rows(table_name) -%}
    select * from {{ source('raw', table_name) }}
    where _batch > {{ newest_profile() }}
{%- endmacro %}

{# The newest batch that a profile has, as a literal, which engines prune by. #}
{% macro newest_profile() -%}
    {%- if not execute or not is_incremental() -%}{{ return(0) }}{%- endif -%}
    {{ return(run_query('select coalesce(max(_batch), 0) from ' ~ this).rows[0][0] | int) }}
{%- endmacro %}
