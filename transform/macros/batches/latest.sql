{# The row of each key that counts: the latest event, where rows have one, then the later batch, then the later line. #}
{% macro latest(relation, key, event_time=none) -%}
    {%- set order = ['_batch', '_part', '_row'] -%}
    {%- set order = [event_time] + order if event_time else order -%}
    {{ deduplicate(relation, key, order | join(' desc nulls last, ') ~ ' desc nulls last') }}
{%- endmacro %}
