{# Data tests on large facts look at what the waiting batches changed: `where: __changed_rows__` stands for the rows
   of batches newer than the last completed build, or for all rows when one of them replaces what a fact holds. #}
{% macro get_where_subquery(relation) -%}
    {%- set where = config.get('where', '') -%}
    {%- if not where -%}{{ return(relation) }}{%- endif -%}
    {{ return('(select * from ' ~ relation ~ ' where ' ~ where.replace('__changed_rows__', changed_rows()) ~ ') as subject') }}
{%- endmacro %}

{% macro changed_rows() -%}
    {%- if not execute or flags.FULL_REFRESH -%}{{ return('true') }}{%- endif -%}
    {%- set since = last_completed_batch() -%}
    {%- set replaced -%}
        select count(*) from {{ source('raw', 'batches') }} where _batch > {{ since }}
            and (mode = 'full' or table_name = 'genome_tags')
    {%- endset -%}
    {%- if since == 0 or run_query(replaced).rows[0][0] > 0 -%}{{ return('true') }}{%- endif -%}
    {{ return('_batch > ' ~ since) }}
{%- endmacro %}
