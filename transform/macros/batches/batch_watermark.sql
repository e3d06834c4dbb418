{# The newest batch that a relation holds rows of, '' when it is empty. Watermarks are on batches, never on event
   time: a late rating is new to the warehouse however old it is. #}
{% macro batch_watermark(relation) -%}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {{ return(run_query('select max(_batch_id) from ' ~ relation).rows[0][0] or '') }}
{%- endmacro %}

{# The raw tables that batches after a watermark brought: what they did not bring needs no look at a whole fact. #}
{% macro tables_since(watermark) -%}
    {%- if not execute -%}{{ return([]) }}{%- endif -%}
    {%- set query -%}
        select distinct table_name from {{ source('raw', 'batches') }} where batch_id > '{{ watermark }}'
    {%- endset -%}
    {{ return(run_query(query).columns[0].values() | list) }}
{%- endmacro %}
