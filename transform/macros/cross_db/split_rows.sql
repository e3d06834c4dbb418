{# One row per non-empty item of a delimited column: `key` and `item`. Lateral joins are spelled differently.
   Written as a select, for use as the body of a CTE. #}
{% macro split_rows(relation, key, column, delimiter, item) -%}
    {{ return(adapter.dispatch('split_rows')(relation, key, column, delimiter, item)) }}
{%- endmacro %}

{% macro snowflake__split_rows(relation, key, column, delimiter, item) -%}
    select distinct
        source.{{ key }},
        cast(part.value as varchar) as {{ item }}
    from {{ relation }} as source,
        lateral flatten(input => split(source.{{ column }}, '{{ delimiter }}')) as part
    where cast(part.value as varchar) != ''
{%- endmacro %}

{% macro duckdb__split_rows(relation, key, column, delimiter, item) -%}
    select distinct
        {{ key }},
        {{ item }}
    from (
        select
            {{ key }},
            unnest(string_split({{ column }}, '{{ delimiter }}')) as {{ item }}
        from {{ relation }}
    ) as part
    where {{ item }} != ''
{%- endmacro %}
