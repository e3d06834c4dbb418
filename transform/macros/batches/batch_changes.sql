{# The tables of loaded batches after a watermark, each with its mode, the batch of the newest full table before it
   (none for a first one), the previous batch's as_of and the rows that a comparison would have to read. #}
{% macro loaded_tables(watermark) -%}
    {%- if not execute -%}{{ return([]) }}{%- endif -%}
    {%- set query -%}
        select
            batches._batch,
            batches.table_name,
            batches.mode,
            max(
                case when earlier.table_name = batches.table_name and earlier.mode = 'full' then earlier._batch end
            ) as since,
            max(earlier.as_of) as previous_as_of,
            ledger.rows_loaded
        from {{ source('raw', 'batches') }} as batches
        inner join {{ source('raw', 'load_ledger') }} as ledger
            on batches.batch_id = ledger.batch_id
            and batches.table_name = ledger.table_name
        left join {{ source('raw', 'batches') }} as earlier
            on batches._batch > earlier._batch
        where batches._batch > {{ watermark }}
        group by batches._batch, batches.table_name, batches.mode, ledger.rows_loaded
        order by batches._batch, batches.table_name
    {%- endset -%}
    {{ return(run_query(query).rows) }}
{%- endmacro %}

{# One row of counts: what a batch did to a table's content. A first table is all added. A large full table is not
   compared with what it replaces, which would cost more than loading it; its counts are null. #}
{% macro batch_changes(batch, table_name, mode, since, previous_as_of, rows_loaded) -%}
    {%- set raw, meta = source('raw', table_name), graph.sources['source.movielens.raw.' ~ table_name].meta -%}
    {%- set key, event_time = meta.key | join(', '), meta.event_time -%}
    {%- set own = meta.key + ['_batch', '_part', '_row'] -%}
    {%- set values = raw_columns(table_name) | map(attribute='name') | reject('in', own) | list -%}
    {%- set has_events = event_time and mode == 'delta' -%}
    {%- set first = since is none -%}
    select
        cast({{ batch }} as integer) as _batch,
        cast('{{ table_name }}' as varchar) as table_name,
    {%- if mode == 'full' and (first or rows_loaded > 2000000) %}
        cast({{ rows_loaded if first else 'null' }} as bigint) as rows_added,
        {%- for count in ['rows_revised', 'rows_removed', 'rows_late'] %}
        cast({{ 0 if first else 'null' }} as bigint) as {{ count }}{{ ',' if not loop.last }}
        {%- endfor %}
    {%- else %}
        {%- set is_there, was_there = 'after.' ~ meta.key[0] ~ ' is not null', 'before.' ~ meta.key[0] ~ ' is not null' %}
        count(case when not {{ was_there }} then 1 end) as rows_added,
        count(
            case
                when {{ was_there }} and {{ is_there }}
                    {%- if has_events %} and after.{{ event_time }} >= before.{{ event_time }}{% endif %}
                    and (
                        {%- for value in values %}
                        before.{{ value }} is distinct from after.{{ value }}{{ ' or' if not loop.last }}
                        {%- endfor %}
                    ) then 1
            end
        ) as rows_revised,
        count(case when not {{ is_there }} then 1 end) as rows_removed,
        {%- if has_events and previous_as_of %}
        count(
            case when {{ epoch_to_timestamp('after.' ~ event_time) }} < cast('{{ previous_as_of }}' as datetime) then 1 end
        ) as rows_late
        {%- else %}
        cast(0 as bigint) as rows_late
        {%- endif %}
    {%- set arrived -%}(select * from {{ raw }} where _batch = {{ batch }}) as arrived{%- endset -%}
    {%- set is_before = '(_batch >= ' ~ (since or 0) ~ ' and _batch < ' ~ batch ~ ')' -%}
    {%- set held -%}
        {%- if mode == 'full' -%}
        (select * from {{ raw }} where {{ is_before }}) as held
        {%- else -%}
        (
            select held.* from {{ raw }} as held
            inner join (select distinct {{ key }} from {{ raw }} where _batch = {{ batch }}) as touched using ({{ key }})
        ) as held
        {%- endif -%}
    {%- endset %}
    from ({{ latest(arrived, key, event_time) }}) as after
    {#- Asked behind the join: in front of it, DuckDB would hash the many rows held instead of the few keys touched. #}
    {{ 'full outer' if mode == 'full' else 'left' }} join (
        {{ latest(held, key ~ ', ' ~ is_before, event_time) }} and {{ is_before }}
    ) as before
        on {% for column in meta.key %}{{ 'and ' if not loop.first }}before.{{ column }} = after.{{ column }} {% endfor %}
    {%- endif %}
{%- endmacro %}
