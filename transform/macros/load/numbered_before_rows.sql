{# How many lines of a part an engine numbers before its first row: `_row` counts from 1. Whether Snowflake's
   METADATA$FILE_ROW_NUMBER counts the header that SKIP_HEADER skips is documented nowhere, so the smallest part is asked. #}
{% macro numbered_before_rows(manifest) -%}
    {{ return(adapter.dispatch('numbered_before_rows')(manifest)) }}
{%- endmacro %}

{% macro default__numbered_before_rows(manifest) -%}
    {{ return(0) }}
{%- endmacro %}

{% macro snowflake__numbered_before_rows(manifest) -%}
    {%- set parts = manifest.tables.values() | map(attribute='parts') | sum(start=[]) | sort(attribute='bytes') -%}
    {%- if not parts -%}{{ return(0) }}{%- endif -%}
    {%- set tools = target.database ~ '.tools' -%}
    {%- set first_number -%}
        select min(metadata$file_row_number)
        from @{{ tools }}.landing/{{ parts[0].key }} (file_format => '{{ tools }}.csv_zst')
    {%- endset -%}
    {{ return(run_query(first_number).rows[0][0] | int - 1) }}
{%- endmacro %}
