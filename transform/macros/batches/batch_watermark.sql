{# The newest batch that a relation has taken in: that of its newest row or of the last completed build, whichever is
   newer; 0 for none. Watermarks are on batches, never on event time: a late rating is new however old it is. #}
{% macro batch_watermark(relation) -%}
    {%- if not execute -%}{{ return(0) }}{%- endif -%}
    {{ return(run_query('select ' ~ newest_batch(relation)).rows[0][0] | int) }}
{%- endmacro %}

{# The same as SQL, for a query that is asked anyway. #}
{% macro newest_batch(relation) -%}
    greatest(
        coalesce((select max(_batch) from {{ relation }}), 0),
        coalesce((select cast(max(batch_id) as integer) from {{ source('ops', 'builds') }}), 0)
    )
{%- endmacro %}

{# True for the rows of the batches that wait, those after the last completed build; for all rows when everything is
   rebuilt. #}
{% macro new_rows() -%}
    {%- if not execute or flags.FULL_REFRESH -%}{{ return('true') }}{%- endif -%}
    {%- set last = run_query('select max(batch_id) from ' ~ source('ops', 'builds')).rows[0][0] -%}
    {{ return('_batch > ' ~ (last or 0) | int) }}
{%- endmacro %}
