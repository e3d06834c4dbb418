{# A timestamp as a whole number: microseconds since 1970. Its text has as many digits as the engine sees fit. #}
{% macro epoch_microseconds(timestamp) -%}
    {{ dbt.datediff("cast('1970-01-01' as datetime)", timestamp, 'microsecond') }}
{%- endmacro %}
