{# Equality in which two nulls are equal. #}
{% macro equal_null(left, right) -%}
    ({{ left }} is not distinct from {{ right }})
{%- endmacro %}
