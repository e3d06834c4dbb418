{# Drops the schemas that pull requests built into (`ci_<run>_…`) once they are older than some days:
   `dbt run-operation drop_expired_schemas --target ci`. Only names with that prefix are ever touched. #}
{% macro drop_expired_schemas(days=3) -%}
    {%- set expired -%}
        select schema_name
        from {{ target.database }}.information_schema.schemata
        where regexp_like(schema_name, 'CI_[0-9]+_[A-Z]+')
            and created < dateadd('day', -{{ days | int }}, current_timestamp())
    {%- endset -%}
    {%- for row in run_query(expired).rows -%}
        {%- do run_query('drop schema if exists ' ~ target.database ~ '.' ~ row[0]) -%}
        {%- do log('dropped ' ~ row[0], info=true) -%}
    {%- endfor -%}
{%- endmacro %}
