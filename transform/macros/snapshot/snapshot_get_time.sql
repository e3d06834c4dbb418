{# History speaks of the data's time, not of the wall clock: the instant of the newest loaded batch. #}
{% macro snapshot_get_time() -%}
    (select max(effective_at) from {{ source('raw', 'batches') }})
{%- endmacro %}
