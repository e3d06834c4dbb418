{# The key of a snapshot's version: its unique key and, last, its instant. dbt hashes the instant's text, which on
   Snowflake ends in milliseconds: two batches a microsecond apart would share one key, and the later version be lost. #}
{% macro default__snapshot_hash_arguments(args) -%}
    md5(
        {%- for key in args[:-1] -%}
            coalesce(cast({{ key }} as varchar), '') || '|' ||
        {%- endfor %} cast({{ dbt.datediff("cast('1970-01-01' as datetime)", args[-1], 'microsecond') }} as varchar)
    )
{%- endmacro %}
