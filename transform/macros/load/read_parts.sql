{# What an engine does with a batch's parts of one table before the transaction that loads them. `bucket` is where their
   keys are found. Snowflake's COPY needs nothing: it reads the stage itself. #}
{% macro read_parts(name, table, bucket) -%}
    {{ return(adapter.dispatch('read_parts')(name, table, bucket)) }}
{%- endmacro %}

{% macro default__read_parts(name, table, bucket) -%}{%- endmacro %}

{# DuckDB reads the object store itself, a part into a temporary table. Row ids count from 0 only in a table that was
   committed, hence before the transaction. #}
{% macro duckdb__read_parts(name, table, bucket) -%}
    {%- for part in table.parts %}
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
        );
    {%- endfor -%}
{%- endmacro %}

{% macro part_relation(name, key) -%}
    temp.{{ name }}_part_{{ part_number(key) }}
{%- endmacro %}
