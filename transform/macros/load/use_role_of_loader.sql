{# Least privilege: raw is written by a role of its own, which sees no mart. DuckDB has no roles. #}
{% macro use_role_of_loader() -%}
    {{ return(adapter.dispatch('use_role_of_loader')()) }}
{%- endmacro %}

{% macro default__use_role_of_loader() -%}{%- endmacro %}

{% macro snowflake__use_role_of_loader() -%}
    {%- do run_query('use role ' ~ adapter.quote_as_configured(target.database ~ '_loader', 'identifier')) -%}
{%- endmacro %}
