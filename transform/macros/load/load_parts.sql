{# SQL that appends a batch's parts of one table to raw. Strict: a value that does not fit its type fails the load,
   because quarantine happened at landing. `bucket` is where the parts' keys are found. #}
{% macro load_parts(table_name, batch_id, parts, bucket) -%}
    {{ return(adapter.dispatch('load_parts')(table_name, batch_id, parts, bucket)) }}
{%- endmacro %}

{# DuckDB reads the object store itself, a statement a part, so that rows are numbered within their part. The lineage
   is joined on, not selected: behind a row number, constants would be copied for every row, at twice the time. #}
{% macro duckdb__load_parts(table_name, batch_id, parts, bucket) -%}
    {%- set columns = raw_columns()[table_name] -%}
    {%- set rejected = table_name == 'rejected_rows' -%}
    {%- for part in parts %}
        insert into {{ raw_relation(table_name) }} by name
        select * from (
            select
                {{ 'row_number() over () as _row,' if not rejected }}
                *
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
            )
        )
        cross join (
            select
                {% if rejected -%}
                '{{ batch_id }}' as batch_id
                {%- else -%}
                '{{ batch_id }}' as _batch_id,
                '{{ part.key }}' as _file
                {%- endif %}
        );
    {%- endfor -%}
{%- endmacro %}

{# Snowflake copies exact files from the external stage; COPY takes at most 1,000 names at a time. The project's own
   ledger is the authority, not COPY's load metadata, hence `force`. #}
{% macro snowflake__load_parts(table_name, batch_id, parts, bucket) -%}
    {%- set columns = raw_columns()[table_name] -%}
    {%- for chunk in parts | batch(1000) %}
        copy into {{ raw_relation(table_name) }} (
            {{ 'batch_id, ' if table_name == 'rejected_rows' }}
            {{- columns.keys() | join(', ') }}
            {{- ', _batch_id, _file, _row' if table_name != 'rejected_rows' }}
        )
        from (
            select
                {% if table_name == 'rejected_rows' -%}
                '{{ batch_id }}',
                {% endif -%}
                {%- for type in columns.values() -%}
                cast(${{ loop.index }} as {{ type }}){{ ',' if not loop.last }}
                {% endfor -%}
                {%- if table_name != 'rejected_rows' -%},
                '{{ batch_id }}',
                metadata$filename,
                metadata$file_row_number
                {%- endif %}
            from @{{ raw_relation('landing') }}
        )
        files = ({% for part in chunk %}'{{ part.key }}'{{ ', ' if not loop.last }}{% endfor %})
        file_format = (format_name = {{ raw_relation('csv_zst') }})
        on_error = abort_statement
        force = true;
    {%- endfor -%}
{%- endmacro %}
