{# A part of a whole, from 0 to 1; null where there is no whole. #}
{% macro share(part, whole) -%}
    cast({{ part }} as double) / nullif({{ whole }}, 0)
{%- endmacro %}

{# The share of the rows of a group that a condition is true of. #}
{% macro share_where(condition) -%}
    {{ share('count(case when ' ~ condition ~ ' then 1 end)', 'count(*)') }}
{%- endmacro %}

{# Two columns: how many rows of a group a condition is true of, and their share. #}
{% macro count_and_share(condition, count_as, share_as) -%}
    count(case when {{ condition }} then 1 end) as {{ count_as }},
        {{ share(count_as, 'count(*)') }} as {{ share_as }}
{%- endmacro %}
