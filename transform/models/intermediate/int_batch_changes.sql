{{ config(
    materialized='incremental',
    unique_key=['_batch', 'table_name'],
    on_schema_change='fail',
    contract={'enforced': true}
) }}

{%- set is_new = new_rows() if is_incremental() else 'true' -%}
{%- set kinds = 'select distinct table_name, mode from ' ~ source('raw', 'batches') ~ ' where ' ~ is_new ~ ' order by 1, 2' -%}

with

waiting as (

    select
        batches._batch,
        batches.table_name,
        batches.mode,
        ledger.rows_loaded,
        max(earlier.as_of) as previous_as_of,
        count(case when earlier.table_name = batches.table_name and earlier.mode = 'full' then 1 end) = 0 as is_first,
        batches.mode = 'delta' or (not is_first and ledger.rows_loaded <= 2000000) as is_compared
    from (select * from {{ source('raw', 'batches') }} where {{ is_new }}) as batches
    inner join {{ source('raw', 'load_ledger') }} as ledger
        on batches.batch_id = ledger.batch_id
        and batches.table_name = ledger.table_name
    left join {{ source('raw', 'batches') }} as earlier
        on batches._batch > earlier._batch
    group by 1, 2, 3, 4

)

-- A first table is all added. A large full one is not compared with what it replaces, which would cost more than
-- loading it: its counts are null.
select
    _batch,
    table_name,
    case when is_first then rows_loaded end as rows_added,
    cast(case when is_first then 0 end as bigint) as rows_revised,
    cast(case when is_first then 0 end as bigint) as rows_removed,
    cast(case when is_first then 0 end as bigint) as rows_late
from waiting
where not is_compared
{% for table_name, mode in (run_query(kinds).rows if execute else []) %}
union all

select _batch, table_name, rows_added, rows_revised, rows_removed, rows_late
from ({{ batch_changes(table_name, mode) }}) as {{ table_name }}_{{ mode }}
{% endfor %}
