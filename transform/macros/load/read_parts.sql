{# What an engine does with a batch's parts before the transaction that loads them. It says how many lines of a part it
   numbers before the first row: `_row` counts from 1. `bucket` is where the parts' keys are found. #}
{% macro read_parts(tables, bucket) -%}
    {{ return(adapter.dispatch('read_parts')(tables, bucket)) }}
{%- endmacro %}

{# Snowflake's COPY reads the stage itself. Whether METADATA$FILE_ROW_NUMBER counts the header that SKIP_HEADER skips is
   documented nowhere, so the smallest part is asked. #}
{% macro snowflake__read_parts(tables, bucket) -%}
    {%- set parts = tables.values() | map(attribute='parts') | sum(start=[]) | sort(attribute='bytes') -%}
    {%- if not parts -%}{{ return(0) }}{%- endif -%}
    {%- set tools = target.database ~ '.tools' -%}
    {%- set first_number -%}
        select min(metadata$file_row_number)
        from @{{ tools }}.landing/{{ parts[0].key }} (file_format => '{{ tools }}.csv_zst')
    {%- endset -%}
    {{ return(run_query(first_number).rows[0][0] | int - 1) }}
{%- endmacro %}

{# DuckDB reads the object store itself, a part into a temporary table. Row ids count from 0 only in a table that was
   committed, hence before the transaction. #}
{% macro duckdb__read_parts(tables, bucket) -%}
    {%- for name, table in tables.items() -%}
    {%- for part in table.parts -%}
    {%- call statement('read_parts', auto_begin=false) %}
        create temporary table {{ part_relation(name, part.key) }} as
        select *
        from read_csv(
            's3://{{ bucket }}/{{ part.key }}',
            auto_detect = false,
            header = true,
            delim = ',',
            quote = '"',
            escape = '"',
            nullstr = '',
            allow_quoted_nulls = false,
            strict_mode = true,
            max_line_size = 4194304,
            compression = 'zstd',
            columns = {
                {%- for column in table.columns %}'{{ column.name }}': '{{ column.type }}'{{ ', ' if not loop.last }}{% endfor -%}
            }
        )
    {%- endcall -%}
    {%- endfor -%}
    {%- endfor -%}
    {{ return(0) }}
{%- endmacro %}

{% macro part_relation(name, key) -%}
    temp.{{ name }}_part_{{ part_number(key) }}
{%- endmacro %}
