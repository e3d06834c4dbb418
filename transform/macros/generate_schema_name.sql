{# Schemas are named as in the project, behind a prefix where several builds share a database (`ci_<run>_marts`). #}
{% macro generate_schema_name(custom_schema_name=none, node=none) -%}
    {%- set prefix = env_var('MOVIELENS_SCHEMA_PREFIX', '') -%}
    {{ return(prefix ~ (custom_schema_name or target.schema) | trim) }}
{%- endmacro %}
