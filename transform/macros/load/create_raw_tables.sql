{# Creates what is missing of raw and ops, as __sources.yml describes it. Run before a load's transaction: DDL would
   commit it on Snowflake. #}
{% macro create_raw_tables() -%}
    {%- for relation in [source('raw', 'batches'), source('ops', 'builds')] -%}
        {%- if not adapter.check_schema_exists(relation.database, relation.schema) -%}
            {%- do adapter.create_schema(relation) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- call statement('create_raw_tables', auto_begin=false) -%}
        {%- for table in graph.sources.values() %}
        create table if not exists {{ source(table.source_name, table.name) }} (
            {%- for column in table.columns.values() %}
            {{ column.name }} {{ column.data_type }}{{ ',' if not loop.last }}
            {%- endfor %}
        );
        {%- endfor %}
    {%- endcall -%}
{%- endmacro %}
