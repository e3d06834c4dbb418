{# Time travel: a history relation (`dim_movies_history` or a snapshot) as it was at an instant, a date or timestamp as
   text, for use after `from`. #}
{% macro as_of(relation_name, instant) -%}
    {%- set at = "cast('" ~ instant ~ "' as datetime)" -%}
    (
        select *
        from {{ ref(relation_name) }}
        where valid_from <= {{ at }}
            and (valid_to > {{ at }} or valid_to is null)
    )
{%- endmacro %}
