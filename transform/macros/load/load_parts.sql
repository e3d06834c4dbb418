{# SQL that appends a batch's parts of one table to raw. Strict: a value that does not fit its type fails the load,
   because quarantine happened at landing. A rejected line has its own lineage: only its batch is added.
   `before_rows` is what `read_parts` found. #}
{% macro load_parts(name, table, batch_id, before_rows) -%}
    {{ return(adapter.dispatch('load_parts')(name, table, batch_id, before_rows)) }}
{%- endmacro %}

{# The rows that `read_parts` put aside. What is there has row ids, in the order of the file: to number rows while they
   are read would leave all but one core idle. #}
{% macro duckdb__load_parts(name, table, batch_id, before_rows) -%}
    {%- for part in table.parts %}
        insert into {{ source('raw', name) }} by name
        select
            *,
            {% if name == 'rejected_rows' -%}
            '{{ batch_id }}' as batch_id
            {%- else -%}
            {{ batch_id | int }} as _batch,
            {{ part_number(part.key) }} as _part,
            rowid + 1 as _row
            {%- endif %}
        from {{ part_relation(name, part.key) }};
        drop table {{ part_relation(name, part.key) }};
    {%- endfor -%}
{%- endmacro %}

{# Snowflake copies exact files from the external stage; COPY takes at most 1,000 names at a time. The project's own
   ledger is the authority, not COPY's load metadata, hence `force`. COPY from a select does not count a line's columns:
   landing has, and the pipeline has held each part to its sha256. A part's number is in its name, part-NNNNN.csv.zst. #}
{% macro snowflake__load_parts(name, table, batch_id, before_rows) -%}
    {%- set tools = target.database ~ '.tools' -%}
    {%- for chunk in table.parts | batch(1000) %}
        copy into {{ source('raw', name) }} (
            {{ table.columns | map(attribute='name') | join(', ') }}
            {{- ', batch_id' if name == 'rejected_rows' else ', _batch, _part, _row' }}
        )
        from (
            select
                {% for column in table.columns -%}
                cast(${{ loop.index }} as {{ column.type }}),
                {% endfor -%}
                {% if name == 'rejected_rows' -%}
                '{{ batch_id }}'
                {%- else -%}
                {{ batch_id | int }},
                cast(substr(metadata$filename, -13, 5) as integer),
                metadata$file_row_number {{- ' - ' ~ before_rows if before_rows }}
                {%- endif %}
            from @{{ tools }}.landing
        )
        files = ({% for part in chunk %}'{{ part.key }}'{{ ', ' if not loop.last }}{% endfor %})
        file_format = (format_name = {{ tools }}.csv_zst)
        on_error = abort_statement
        force = true;
    {%- endfor -%}
{%- endmacro %}
