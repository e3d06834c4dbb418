{# The time of a snapshot, instead of dbt's wall clock: the instant of the newest loaded batch, so that history speaks
   of the data and is the same when it is replayed. #}
{% macro default__snapshot_get_time() -%}
    (select max(effective_at) from {{ source('raw', 'batches') }})
{%- endmacro %}
