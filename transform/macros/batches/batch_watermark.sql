{# The newest batch that a relation has taken in: that of its newest row or of the last completed build, whichever is
   newer; 0 for none. Watermarks are on batches, never on event time: a late rating is new however old it is. #}
{% macro batch_watermark(relation) -%}
    {%- if not execute -%}{{ return(0) }}{%- endif -%}
    {{ return([run_query('select max(_batch) from ' ~ relation).rows[0][0] or 0, last_completed_batch()] | max | int) }}
{%- endmacro %}

{# The number of the batch that the marts were last brought to; 0 for none. #}
{% macro last_completed_batch() -%}
    {{ return((run_query("select max(batch_id) from " ~ source("ops", "builds")).rows[0][0] or 0) | int) }}
{%- endmacro %}

{# The raw tables that batches after a watermark brought: what they did not bring needs no look at a whole fact. #}
{% macro tables_since(watermark) -%}
    {%- if not execute -%}{{ return([]) }}{%- endif -%}
    {%- set query -%}
        select distinct table_name from {{ source('raw', 'batches') }} where _batch > {{ watermark }}
    {%- endset -%}
    {{ return(run_query(query).columns[0].values() | list) }}
{%- endmacro %}
