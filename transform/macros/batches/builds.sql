{# `ops.builds`: one row per completed build, the batch that it brought the marts to and the version of the project.
   A loaded batch that is newer was never built to the end. #}
{% macro builds_relation() -%}
    {{ return(api.Relation.create(database=target.database, schema=generate_schema_name('ops'), identifier='builds')) }}
{%- endmacro %}

{% macro last_completed_batch() -%}
    {{ return(run_query('select max(batch_id) from ' ~ builds_relation()).rows[0][0] or '') }}
{%- endmacro %}
