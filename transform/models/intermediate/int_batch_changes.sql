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
        {{ batch_changes(0, 'movies', 'full', none, none, 0) }}
    ) as nothing
    where false
{% endif %}
