{# The newest batch that a relation has taken in: that of its newest row or of the last completed build, whichever is
   newer; '' for none. Watermarks are on batches, never on event time: a late rating is new however old it is.
   `number` is where the relation keeps a row's batch. #}
{% macro batch_watermark(relation, number='_batch_number') -%}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- set held = run_query('select max(' ~ number ~ ') from ' ~ relation).rows[0][0] -%}
    {{ return([batch_id_of(held), last_completed_batch()] | max) }}
{%- endmacro %}

{# The raw tables that batches after a watermark brought: what they did not bring needs no look at a whole fact. #}
{% macro tables_since(watermark) -%}
    {%- if not execute -%}{{ return([]) }}{%- endif -%}
    {%- set query -%}
        select distinct table_name from {{ source('raw', 'batches') }} where batch_id > '{{ watermark }}'
    {%- endset -%}
    {{ return(run_query(query).columns[0].values() | list) }}
{%- endmacro %}
