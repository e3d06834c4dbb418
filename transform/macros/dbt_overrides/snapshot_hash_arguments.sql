{# The key of a snapshot's version: its unique key and, last, its instant. dbt hashes the instant's text, which on
   Snowflake ends in milliseconds: two batches a microsecond apart would share one key, and the later version be lost. #}
{% macro default__snapshot_hash_arguments(args) -%}
    md5(
        {%- for key in args[:-1] -%}
            coalesce(cast({{ key }} as varchar), '') || '|' ||
        {%- endfor %} cast({{ epoch_microseconds(args[-1]) }} as varchar)
    )
{%- endmacro %}
