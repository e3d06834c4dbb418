{# Whether a row belongs to the sample that exact comparisons look at: every row of a table with up to 2 million rows,
   about half a million rows of a larger one. The sample is of whole keys, so that both sides of a comparison meet. #}
{% macro in_sample(table_name, key) -%}
    {%- if not execute -%}{{ return('true') }}{%- endif -%}
    {%- set largest -%}
        select max(rows_loaded) from {{ source('raw', 'load_ledger') }} where table_name = '{{ table_name }}'
    {%- endset -%}
    {%- set rows = run_query(largest).rows[0][0] or 0 -%}
    {{ return('mod(' ~ key ~ ', ' ~ (rows // 500000) ~ ') = 0' if rows > 2000000 else 'true') }}
{%- endmacro %}
