{# Schemas are named as in the project, behind a prefix where several builds share a database (`ci_<run>_marts`).
   A build of changed models alone reads the raw data of production: then raw and ops have a prefix of their own. #}
{% macro generate_schema_name(custom_schema_name=none, node=none) -%}
    {%- set prefix = env_var('MOVIELENS_SCHEMA_PREFIX', '') -%}
    {%- if custom_schema_name in ['raw', 'ops'] -%}
        {%- set prefix = env_var('MOVIELENS_RAW_PREFIX', prefix) -%}
    {%- endif -%}
    {{ return(prefix ~ (custom_schema_name or target.schema) | trim) }}
{%- endmacro %}
