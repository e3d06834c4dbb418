{# A mean with four digits from a sum and a count, the same on both engines. Decimal division keeps another scale on
   each, and they round a double's tie differently: so it is rounded as a whole number, ties upwards. Null where there
   is nothing to divide by. #}
{% macro mean(total, count) -%}
    cast(
        cast(floor(cast({{ total }} as double) * 10000 / nullif({{ count }}, 0) + 0.5000001) as bigint) * 0.0001
        as decimal(9, 4)
    )
{%- endmacro %}
