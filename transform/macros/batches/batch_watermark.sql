{# The newest batch that a relation holds rows of, '' when it is empty. Watermarks are on batches, never on event
   time: a late rating is new to the warehouse however old it is. #}
{% macro batch_watermark(relation) -%}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {{ return(run_query('select max(_batch_id) from ' ~ relation).rows[0][0] or '') }}
{%- endmacro %}
