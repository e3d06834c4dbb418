{# The row of each key that counts: the latest event, where rows have one, then the later batch, then the later line. #}
{% macro latest(relation, key, event_time=none, batch='_batch') -%}
    select *
    from {{ relation }}
    qualify row_number() over (
        partition by {{ key }}
        order by
            {% if event_time %}{{ event_time }} desc nulls last,
            {% endif -%}
            {{ batch }} desc nulls last,
            _part desc nulls last,
            _row desc nulls last
    ) = 1
{%- endmacro %}
