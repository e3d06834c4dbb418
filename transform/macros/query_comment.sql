{# What dbt adds to the end of every statement: the node that it is for. With the session's query tag, which names the
   run and the batch, an account's query history can be summed up by model (docs/production.md). #}
{% macro query_comment(node) -%}
    {{ return(tojson({'app': 'movielens', 'node': node.unique_id or 'run-operation', 'invocation': invocation_id})) }}
{%- endmacro %}
