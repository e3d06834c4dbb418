{# The newest batch that a relation has taken in: that of its newest row or of the last completed build, whichever is
   newer; 0 for none. Watermarks are on batches, never on event time: a late rating is new however old it is. #}
{% macro batch_watermark(relation) -%}
    {%- if not execute -%}{{ return(0) }}{%- endif -%}
    {%- set newest_row = run_query('select max(_batch) from ' ~ relation).rows[0][0] -%}
    {{ return([newest_row or 0, last_completed_batch()] | max | int) }}
{%- endmacro %}

{# The batch that the marts were last brought to, as a number; 0 for none. #}
{% macro last_completed_batch() -%}
    {%- set batch_id = run_query('select max(batch_id) from ' ~ source('ops', 'builds')).rows[0][0] -%}
    {{ return((batch_id or 0) | int) }}
{%- endmacro %}

{# True for the rows of the batches that wait; for all rows when everything is built anew. #}
{% macro new_rows() -%}
    {{ return('true' if not execute or flags.FULL_REFRESH else '_batch > ' ~ last_completed_batch()) }}
{%- endmacro %}
