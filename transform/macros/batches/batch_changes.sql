{# One row of counts: what a batch did to the content of a table, which the full batch `since` began. #}
{% macro batch_changes(batch, table_name, mode, since, previous_as_of) -%}
    {%- set raw, table = source('raw', table_name), graph.sources['source.movielens.raw.' ~ table_name] -%}
    {%- set key, event_time = table.meta.key | join(', '), table.meta.event_time -%}
    {%- set has_events = event_time and mode == 'delta' -%}
    {%- set arrived = '(select * from ' ~ raw ~ ' where _batch = ' ~ batch ~ ') as arrived' -%}
    {%- set was_there = '(_batch >= ' ~ (since or 0) ~ ' and _batch < ' ~ batch ~ ')' -%}
    {%- set held -%}
        {%- if mode == 'full' -%}
        (select * from {{ raw }} where {{ was_there }}) as held
        {%- else -%}
        {{ raw }} inner join (select distinct {{ key }} from {{ arrived }}) as touched using ({{ key }})
        {%- endif -%}
    {%- endset -%}
    select
        {{ batch }} as _batch,
        '{{ table_name }}' as table_name,
        count(case when before._batch is null then 1 end) as rows_added,
        count(
            case
                when before._batch is not null and after._batch is not null
                    {%- if has_events %} and after.{{ event_time }} >= before.{{ event_time }}{% endif %}
                    and (
                        {%- for column in table.columns if column not in table.meta.key + ['_batch', '_part', '_row'] %}
                        before.{{ column }} is distinct from after.{{ column }}{{ ' or' if not loop.last }}
                        {%- endfor %}
                    ) then 1
            end
        ) as rows_revised,
        count(case when after._batch is null then 1 end) as rows_removed,
        {% if has_events and previous_as_of -%}
        count(case when {{ epoch_to_timestamp('after.' ~ event_time) }} < cast('{{ previous_as_of }}' as datetime) then 1 end)
        {%- else %} 0 {%- endif %} as rows_late
    from ({{ latest(arrived, key, event_time) }}) as after
    {#- Asked behind the join: in front of it, DuckDB would hash the many rows held instead of the few keys touched. #}
    full outer join ({{ latest(held, key ~ ', ' ~ was_there, event_time) }} and {{ was_there }}) as before
        on {% for column in table.meta.key %}{{ 'and ' if not loop.first }}before.{{ column }} = after.{{ column }} {% endfor %}
{%- endmacro %}
