{# The raw tables that batches bring, as __sources.yml describes them: those with a key. #}
{% macro landed_tables() -%}
    {%- set tables = [] -%}
    {%- for table in (graph.sources.values() if execute else []) if table.source_name == 'raw' and table.meta.key -%}
        {%- do tables.append(table) -%}
    {%- endfor -%}
    {{ return(tables) }}
{%- endmacro %}
