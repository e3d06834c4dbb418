{# The rows that one relation has and the other has not, by some columns. #}
{% macro differences(left, right, columns) -%}
(select {{ columns }} from {{ left }} except select {{ columns }} from {{ right }})
union all
(select {{ columns }} from {{ right }} except select {{ columns }} from {{ left }})
{%- endmacro %}
