{# Time travel: a history relation (`dim_movies_history` or a snapshot) as it was at an instant, for use after `from`.
   `instant` is a date or timestamp as text, or a SQL expression with `literal=false`. #}
{% macro as_of(relation_name, instant, literal=true) -%}
    {%- set at = "cast('" ~ instant ~ "' as datetime)" if literal else instant -%}
    (
        select *
        from {{ ref(relation_name) }}
        where valid_from <= {{ at }}
            and (valid_to > {{ at }} or valid_to is null)
    )
{%- endmacro %}
