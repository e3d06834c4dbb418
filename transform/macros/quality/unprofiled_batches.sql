{# The batches of a raw table that wait, as the ledger counts them: a profile's first columns.
   `rows_as` is what the profile calls the rows that a batch brought. #}
{% macro unprofiled_batches(table_name, rows_as) -%}
    select
        batches._batch,
        batches.batch_id,
        batches.as_of,
        batches.mode,
        {{ share('ledger.rows_rejected', 'ledger.rows_read') }} as rejected_share,
        ledger.rows_loaded as {{ rows_as }}
    from (select * from {{ source('raw', 'batches') }} where {{ new_rows() if is_incremental() else 'true' }}) as batches
    inner join {{ source('raw', 'load_ledger') }} as ledger
        on batches.batch_id = ledger.batch_id
        and batches.table_name = ledger.table_name
    where batches.table_name = '{{ table_name }}'
{%- endmacro %}

{# The rows that those batches brought. #}
{% macro unprofiled_rows(table_name) -%}
    select * from {{ source('raw', table_name) }}
    where {{ new_rows() if is_incremental() else 'true' }}
{%- endmacro %}
