{# Lets the role that builds read what the loader has just made, in the loader's session: a clone of a schema has none of
   its future grants. DuckDB has no roles. #}
{% macro grant_raw_to_builder() -%}
    {{ return(adapter.dispatch('grant_raw_to_builder')()) }}
{%- endmacro %}

{% macro default__grant_raw_to_builder() -%}{%- endmacro %}

{% macro snowflake__grant_raw_to_builder() -%}
    {%- if target.name == 'prod' -%}
        {%- set raw = source('raw', 'batches').include(identifier=false) -%}
        {%- set ops = source('ops', 'builds').include(identifier=false) -%}
        {%- set builder = adapter.quote_as_configured(target.role, 'identifier') -%}
        {%- do run_query('grant usage on schema ' ~ raw ~ ' to role ' ~ builder) -%}
        {%- do run_query('grant usage on schema ' ~ ops ~ ' to role ' ~ builder) -%}
        {%- do run_query('grant select on all tables in schema ' ~ raw ~ ' to role ' ~ builder) -%}
        {%- do run_query('grant select, insert on all tables in schema ' ~ ops ~ ' to role ' ~ builder) -%}
    {%- endif -%}
{%- endmacro %}
