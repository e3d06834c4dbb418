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
    {%- set meta = graph.sources['source.movielens.raw.' ~ table_name].meta -%}
    {%- set keys, event_time = meta.key, meta.event_time -%}
    {%- set columns = raw_columns(table_name) | map(attribute='name') | reject('in', ['_batch', '_part', '_row']) | list -%}
    {%- set values = columns | reject('in', keys) | list -%}
    {%- set order = (event_time ~ ' desc nulls last, ' if event_time else '')
        ~ '_batch desc nulls last, _part desc nulls last, _row desc nulls last' -%}
    {%- set raw = source('raw', table_name) -%}
    {#- Asked behind the join: in front of it, DuckDB would hash the many rows held instead of the few keys touched. -#}
    {%- set is_before = '(_batch >= ' ~ (since or 0) ~ ' and _batch < ' ~ batch ~ ')' -%}
    {%- set first = since is none -%}
    {%- set too_large = mode == 'full' and rows_loaded > 2000000 -%}
    select
        cast({{ batch }} as integer) as _batch,
        cast('{{ table_name }}' as varchar) as table_name,
        {%- if first and mode == 'full' or too_large %}
        cast({{ rows_loaded if first else 'null' }} as bigint) as rows_added,
        {%- for count in ['rows_revised', 'rows_removed', 'rows_late'] %}
        cast({{ 0 if first else 'null' }} as bigint) as {{ count }}{{ ',' if not loop.last }}
        {%- endfor %}
        {%- else %}
        count(case when before_key is null then 1 end) as rows_added,
        count(case when before_key is not null and after_key is not null and is_changed then 1 end) as rows_revised,
        count(case when after_key is null then 1 end) as rows_removed,
        count(case when is_late then 1 end) as rows_late
    from (
        select
            before.{{ keys[0] }} as before_key,
            after.{{ keys[0] }} as after_key,
            {{ 'after.' ~ event_time ~ ' >= before.' ~ event_time ~ ' and ' if event_time and mode == 'delta' }}(
                {%- for value in values %}
                before.{{ value }} is distinct from after.{{ value }}{{ ' or' if not loop.last }}
                {%- endfor %}
            ) as is_changed,
            {% if event_time and mode == 'delta' and previous_as_of -%}
            {{ epoch_to_timestamp('after.' ~ event_time) }} < cast('{{ previous_as_of }}' as datetime)
            {%- else -%}
            false
            {%- endif %} as is_late
        from (
            select arrived.* from {{ raw }} as arrived
            where arrived._batch = {{ batch }}
            qualify row_number() over (partition by {{ keys | join(', ') }} order by {{ order }}) = 1
        ) as after
        {{ 'full outer' if mode == 'full' else 'left' }} join (
            select held.* from {{ raw }} as held
            {%- if mode == 'delta' %}
            inner join (
                select distinct {{ keys | join(', ') }} from {{ raw }} where _batch = {{ batch }}
            ) as touched using ({{ keys | join(', ') }})
            {%- else %}
            where {{ is_before }}
            {%- endif %}
            qualify {{ is_before }} and row_number() over (
                partition by {% for key in keys %}held.{{ key }}, {% endfor %}{{ is_before }} order by {{ order }}
            ) = 1
        ) as before
            on {% for key in keys %}{{ 'and ' if not loop.first }}before.{{ key }} = after.{{ key }} {% endfor %}
    ) as compared
        {%- endif %}
{%- endmacro %}
