{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['_batch_id', 'table_name'],
    on_schema_change='fail'
) }}

{%- set watermark = batch_watermark(this, batch_number('_batch_id')) if is_incremental() else '' -%}
{%- set parts = loaded_tables(watermark) %}

{% for part in parts %}
    {{ batch_changes(**part) }}
    {{ 'union all' if not loop.last }}
{% endfor %}
{% if not parts %}
    select * from (
        {{ batch_changes('', 'movies', 'full', none, none, 0) }}
    ) as nothing
    where false
{% endif %}
