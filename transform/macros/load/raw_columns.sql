{# The columns of a raw table as __sources.yml describes them: name and type. #}
{% macro raw_columns(table_name) -%}
    {%- set columns = [] -%}
    {%- for column in graph.sources['source.movielens.raw.' ~ table_name].columns.values() -%}
        {%- do columns.append({'name': column.name, 'type': column.data_type}) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}
