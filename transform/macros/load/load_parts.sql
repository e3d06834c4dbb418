{# SQL that appends a batch's parts of one table to raw. Strict: a value that does not fit its type fails the load,
   because quarantine happened at landing. #}
{% macro load_parts(table_name, batch_id, parts) -%}
    {{ return(adapter.dispatch('load_parts')(table_name, batch_id, parts)) }}
{%- endmacro %}

{# The rows that `read_parts` put aside, a statement a part. What is there has row ids, in the order of the file: to
   number rows while they are read would leave all but one core idle. #}
{% macro duckdb__load_parts(table_name, batch_id, parts) -%}
    {%- for part in parts %}
        insert into {{ raw_relation(table_name) }} by name
        select
            *,
            {% if table_name == 'rejected_rows' -%}
            '{{ batch_id }}' as batch_id
            {%- else -%}
            '{{ batch_id }}' as _batch_id,
            '{{ part.key }}' as _file,
            rowid + 1 as _row
            {%- endif %}
        from {{ part_relation(table_name, loop.index0) }};
        drop table {{ part_relation(table_name, loop.index0) }};
    {%- endfor -%}
{%- endmacro %}

{# Snowflake copies exact files from the external stage; COPY takes at most 1,000 names at a time. The project's own
   ledger is the authority, not COPY's load metadata, hence `force`. #}
{% macro snowflake__load_parts(table_name, batch_id, parts) -%}
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
