{# What each of the `waiting` batches of one mode did to the content of a table: counts of keys. #}
{% macro batch_changes(table_name, mode) -%}
    {%- set raw, table = source('raw', table_name), graph.sources['source.movielens.raw.' ~ table_name] -%}
    {%- set key, event_time = table.meta.key | join(', '), table.meta.event_time -%}
    {%- set has_events = event_time and mode == 'delta' -%}
    {%- set touched = '(content._batch, ' ~ key ~ ') in (select _batch, ' ~ key ~ ' from after)' -%}
    with

    batches as (
        select * from waiting
        where is_compared and table_name = '{{ table_name }}' and mode = '{{ mode }}'
    ),

    after as ({{ latest(raw ~ ' where _batch in (select _batch from batches)', '_batch, ' ~ key, event_time) }}),

    before as ({{ rows_before(table_name, key, event_time, where=touched if mode == 'delta' else 'true') }})

    select
        batches._batch,
        batches.table_name,
        count(case when before._batch is null then after._batch end) as rows_added,
        count(
            case
                when before._batch is not null and after._batch is not null
                    {%- if has_events %} and after.{{ event_time }} >= before.{{ event_time }}{% endif %}
                    and (
                        {%- for column in table.columns if column not in table.meta.key + ['_batch', '_part', '_row'] %}
                        before.{{ column }} is distinct from after.{{ column }} or
                        {%- endfor %} false
                    ) then 1
            end
        ) as rows_revised,
        count(case when after._batch is null then before._batch end) as rows_removed,
        {% if has_events -%}
        count(case when {{ epoch_to_timestamp('after.' ~ event_time) }} < batches.previous_as_of then 1 end)
        {%- else %} 0 {%- endif %} as rows_late
    from batches
    left join (
        before full outer join after
            on before._batch = after._batch
            {%- for column in table.meta.key %} and before.{{ column }} = after.{{ column }}{% endfor %}
    )
        on batches._batch = coalesce(before._batch, after._batch)
    group by 1, 2
{%- endmacro %}
