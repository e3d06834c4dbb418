{# A mean with four digits from a sum and a count, the same on both engines: decimal division keeps another scale
   on each, so it is done on doubles and cast once. Null where there is nothing to divide by. #}
{% macro mean(total, count) -%}
    cast(cast({{ total }} as double) / nullif({{ count }}, 0) as decimal(9, 4))
{%- endmacro %}
