{# dbt's recipe for a placeholder in a data test's `where`: `__new_rows__` stands for the rows of the batches that wait,
   so that testing a fact costs as much as its increment. #}
{% macro default__get_where_subquery(relation) -%}
    {%- set where = config.get('where', '') -%}
    {%- if not where -%}{{ return(relation) }}{%- endif -%}
    {{ return('(select * from ' ~ relation ~ ' where ' ~ where.replace('__new_rows__', new_rows()) ~ ') as subject') }}
{%- endmacro %}
