{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['_batch', 'table_name'],
    on_schema_change='fail',
    contract={'enforced': true}
) }}

{%- set tables = loaded_tables(batch_watermark(this) if is_incremental() else 0) %}

{% for table in tables %}
    {{ batch_changes(*table) }}
    {{ 'union all' if not loop.last }}
{% else %}
    select * from (
        select
            cast(0 as integer) as _batch,
            cast('' as varchar) as table_name,
            cast(0 as bigint) as rows_added,
            cast(0 as bigint) as rows_revised,
            cast(0 as bigint) as rows_removed,
            cast(0 as bigint) as rows_late
    ) as nothing
    where false
{% endfor %}
