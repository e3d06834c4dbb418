{# What an engine does with a batch's parts before the transaction that loads them. `bucket` is where their keys are
   found. Snowflake's COPY needs nothing: it reads the stage itself. #}
{% macro read_parts(table_name, parts, bucket) -%}
    {{ return(adapter.dispatch('read_parts')(table_name, parts, bucket)) }}
{%- endmacro %}

{% macro default__read_parts(table_name, parts, bucket) -%}{%- endmacro %}

{# DuckDB reads the object store itself, a part into a temporary table. Row ids count from 0 only in a table that was
   committed, hence before the transaction. #}
{% macro duckdb__read_parts(table_name, parts, bucket) -%}
    {%- set columns = raw_columns()[table_name] -%}
    {%- for part in parts %}
        create temporary table {{ part_relation(table_name, loop.index0) }} as
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
                {%- for column, type in columns.items() %}'{{ column }}': '{{ type }}'{{ ', ' if not loop.last }}{% endfor -%}
            }
        );
    {%- endfor -%}
{%- endmacro %}

{% macro part_relation(table_name, number) -%}
    temp.{{ table_name }}_part_{{ number }}
{%- endmacro %}
