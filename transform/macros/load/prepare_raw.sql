{# Makes raw ready for a load. On Snowflake a role of its own writes it, which sees no mart, and lets the role that builds
   read what it has made: a clone of a schema has none of its future grants. #}
{% macro prepare_raw() -%}
    {{ return(adapter.dispatch('prepare_raw')()) }}
{%- endmacro %}

{% macro default__prepare_raw() -%}
    {%- do create_raw_tables() -%}
{%- endmacro %}

{% macro snowflake__prepare_raw() -%}
    {%- do run_query('use role ' ~ adapter.quote_as_configured(target.database ~ '_loader', 'identifier')) -%}
    {%- do create_raw_tables() -%}
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
