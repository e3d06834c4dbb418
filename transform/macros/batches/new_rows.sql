{# True for the rows of the batches that wait, those after the last completed build; for all rows when everything is
   rebuilt. It asks for batches, never for event time: a late rating is new however old it is. #}
{% macro new_rows() -%}
    {%- if not execute or flags.FULL_REFRESH -%}{{ return('true') }}{%- endif -%}
    {%- set last = run_query('select max(batch_id) from ' ~ source('ops', 'builds')).rows[0][0] -%}
    {{ return('_batch > ' ~ (last or 0) | int) }}
{%- endmacro %}
