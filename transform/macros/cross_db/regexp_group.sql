{# The text of one group of a pattern's first match, null where it does not match. DuckDB gives '' instead. #}
{% macro regexp_group(text, pattern, group) -%}
    {{ return(adapter.dispatch('regexp_group')(text, pattern, group)) }}
{%- endmacro %}

{% macro snowflake__regexp_group(text, pattern, group) -%}
    regexp_substr({{ text }}, '{{ pattern }}', 1, 1, 'e', {{ group }})
{%- endmacro %}

{% macro duckdb__regexp_group(text, pattern, group) -%}
    nullif(regexp_extract({{ text }}, '{{ pattern }}', {{ group }}), '')
{%- endmacro %}
