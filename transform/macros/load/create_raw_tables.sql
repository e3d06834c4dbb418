{# Creates what is missing of raw and ops, as __sources.yml describes it. Run before a load's transaction: DDL would
   commit it on Snowflake. #}
{% macro create_raw_tables() -%}
    {%- for table in graph.sources.values() -%}
        {%- set relation = source(table.source_name, table.name) -%}
        {%- if loop.changed(relation.schema) and not adapter.check_schema_exists(relation.database, relation.schema) -%}
            {%- do adapter.create_schema(relation) -%}
        {%- endif -%}
        {%- call statement('create_raw_tables', auto_begin=false) -%}
            create table if not exists {{ relation }} (
                {%- for column in table.columns.values() %}
                {{ column.name }} {{ column.data_type }}{{ ',' if not loop.last }}
                {%- endfor %}
            )
        {%- endcall -%}
    {%- endfor -%}
{%- endmacro %}
