{{ config(
    materialized='incremental',
    unique_key=['_batch', 'table_name'],
    on_schema_change='fail',
    contract={'enforced': true}
) }}

{%- set waiting -%}
    select
        batches._batch,
        batches.table_name,
        batches.mode,
        ledger.rows_loaded,
        max(case when earlier.table_name = batches.table_name and earlier.mode = 'full' then earlier._batch end) as since,
        max(earlier.as_of) as previous_as_of,
        batches.mode = 'delta' or (since is not null and ledger.rows_loaded <= 2000000) as is_compared
    from (select * from {{ source('raw', 'batches') }} where {{ new_rows() if is_incremental() else 'true' }}) as batches
    inner join {{ source('raw', 'load_ledger') }} as ledger
        on batches.batch_id = ledger.batch_id
        and batches.table_name = ledger.table_name
    left join {{ source('raw', 'batches') }} as earlier
        on batches._batch > earlier._batch
    group by 1, 2, 3, 4
{%- endset -%}

-- A first table is all added. A large full one is not compared with what it replaces, which would cost more than
-- loading it: its counts are null.
select
    _batch,
    table_name,
    case when since is null then rows_loaded end as rows_added,
    cast(case when since is null then 0 end as bigint) as rows_revised,
    cast(case when since is null then 0 end as bigint) as rows_removed,
    cast(case when since is null then 0 end as bigint) as rows_late
from ({{ waiting }}) as waiting
where not is_compared

{%- set compared = 'select _batch, table_name, mode, since, previous_as_of from (' ~ waiting ~ ') as waiting where is_compared' %}
{% for table in (run_query(compared).rows if execute else []) %}
union all
{{ batch_changes(*table) }}
{% endfor %}
