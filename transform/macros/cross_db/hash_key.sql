{# A 60-bit integer key from text: the first 15 hex digits of its md5. The same text has the same key on both
   engines, in any order of arrival. Meant for thousands of distinct values, not for millions of rows. #}
{% macro hash_key(text) -%}
    {{ return(adapter.dispatch('hash_key')(text)) }}
{%- endmacro %}

{% macro snowflake__hash_key(text) -%}
    cast(to_number(left(md5({{ text }}), 15), 'XXXXXXXXXXXXXXX') as bigint)
{%- endmacro %}

{% macro duckdb__hash_key(text) -%}
    cast('0x' || left(md5({{ text }}), 15) as bigint)
{%- endmacro %}
