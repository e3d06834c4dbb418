{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['_batch', 'table_name'],
    on_schema_change='fail'
) }}

{%- set watermark = batch_watermark(this) if is_incremental() else 0 -%}
{%- set parts = loaded_tables(watermark) %}

{% for part in parts %}
    {{ batch_changes(**part) }}
    {{ 'union all' if not loop.last }}
{% endfor %}
{% if not parts %}
    select * from (
        select
            cast(0 as integer) as _batch,
            cast('' as varchar) as table_name,
            {% for count in ['rows_added', 'rows_revised', 'rows_removed', 'rows_late'] -%}
            cast(0 as bigint) as {{ count }}{{ ',' if not loop.last }}
            {% endfor %}
    ) as nothing
    where false
{% endif %}
