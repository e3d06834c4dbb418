{# The tables of loaded batches after a watermark, each with its mode, the batch of the newest full table before it
   (none for a first one), the previous batch's as_of and the rows that a comparison would have to read. #}
{% macro loaded_tables(watermark) -%}
    {%- if not execute -%}{{ return([]) }}{%- endif -%}
    {%- set query -%}
        select
            batches.batch_id,
            batches.table_name,
            batches.mode,
            (
                select max(earlier.batch_id)
                from {{ source('raw', 'batches') }} as earlier
                where earlier.table_name = batches.table_name
                    and earlier.mode = 'full'
                    and earlier.batch_id < batches.batch_id
            ) as since,
            (
                select max(earlier.as_of)
                from {{ source('raw', 'batches') }} as earlier
                where earlier.batch_id < batches.batch_id
            ) as previous_as_of,
            ledger.rows_loaded
        from {{ source('raw', 'batches') }} as batches
        inner join {{ source('raw', 'load_ledger') }} as ledger
            on batches.batch_id = ledger.batch_id
            and batches.table_name = ledger.table_name
        where batches.batch_id > '{{ watermark }}'
        order by batches.batch_id, batches.table_name
    {%- endset -%}
    {%- set tables = [] -%}
    {%- for row in run_query(query).rows -%}
        {%- do tables.append({
            'batch_id': row[0], 'table_name': row[1], 'mode': row[2], 'since': row[3], 'previous_as_of': row[4],
            'rows_loaded': row[5],
        }) -%}
    {%- endfor -%}
    {{ return(tables) }}
{%- endmacro %}

{# One row of counts: what a batch did to a table's content. A first table is all added. A large full table is not
   compared with what it replaces, which would cost more than loading it; its counts are null. #}
{% macro batch_changes(batch_id, table_name, mode, since, previous_as_of, rows_loaded) -%}
    {%- set keys = {
        'movies': ['movie_id'], 'links': ['movie_id'], 'ratings': ['user_id', 'movie_id'],
        'tags': ['user_id', 'movie_id', 'tag'], 'genome_scores': ['movie_id', 'tag_id'], 'genome_tags': ['tag_id'],
    }[table_name] -%}
    {%- set columns = raw_columns()[table_name].keys() | list -%}
    {%- set values = columns | reject('in', keys) | list -%}
    {%- set has_time = 'timestamp' in columns -%}
    {%- set order = ('timestamp desc nulls last, ' if has_time else '')
        ~ '_batch_id desc nulls last, _file desc nulls last, _row desc nulls last' -%}
    {%- set raw = source('raw', table_name) -%}
    {%- set first = since is none -%}
    {%- set too_large = mode == 'full' and rows_loaded > 2000000 -%}
    select
        cast('{{ batch_id }}' as varchar) as _batch_id,
        cast('{{ table_name }}' as varchar) as table_name,
        {%- if first and mode == 'full' or too_large %}
        cast({{ rows_loaded if first else 'null' }} as bigint) as rows_added,
        cast({{ 0 if first else 'null' }} as bigint) as rows_revised,
        cast({{ 0 if first else 'null' }} as bigint) as rows_removed,
        cast({{ 0 if first else 'null' }} as bigint) as rows_late
        {%- else %}
        cast(coalesce(sum(case when before_key is null then 1 else 0 end), 0) as bigint) as rows_added,
        cast(coalesce(sum(case when before_key is not null and after_key is not null and is_changed then 1 else 0 end), 0) as bigint)
            as rows_revised,
        cast(coalesce(sum(case when after_key is null then 1 else 0 end), 0) as bigint) as rows_removed,
        cast(coalesce(sum(is_late), 0) as bigint) as rows_late
    from (
        select
            before.{{ keys[0] }} as before_key,
            after.{{ keys[0] }} as after_key,
            {%- if has_time and mode == 'delta' %}
            after.timestamp >= before.timestamp and (
            {%- else %}
            (
            {%- endif %}
                {%- for value in values %}
                before.{{ value }} is distinct from after.{{ value }}{{ ' or' if not loop.last }}
                {%- endfor %}
            ) as is_changed,
            {% if has_time and mode == 'delta' and previous_as_of -%}
            case
                when {{ epoch_to_timestamp('after.timestamp') }} < cast('{{ previous_as_of }}' as datetime) then 1
                else 0
            end
            {%- else -%}
            0
            {%- endif %} as is_late
        from (
            select arrived.* from {{ raw }} as arrived
            where arrived._batch_id = '{{ batch_id }}'
            qualify row_number() over (partition by {{ keys | join(', ') }} order by {{ order }}) = 1
        ) as after
        {{ 'full outer' if mode == 'full' else 'left' }} join (
            select held.* from {{ raw }} as held
            {%- if mode == 'delta' %}
            inner join (
                select distinct {{ keys | join(', ') }} from {{ raw }} where _batch_id = '{{ batch_id }}'
            ) as touched
                on {% for key in keys %}{{ 'and ' if not loop.first }}held.{{ key }} = touched.{{ key }} {% endfor %}
            {%- endif %}
            where held._batch_id >= '{{ since or '' }}' and held._batch_id < '{{ batch_id }}'
            qualify row_number() over (
                partition by {% for key in keys %}held.{{ key }}{{ ', ' if not loop.last }}{% endfor %} order by {{ order }}
            ) = 1
        ) as before
            on {% for key in keys %}{{ 'and ' if not loop.first }}before.{{ key }} = after.{{ key }} {% endfor %}
    ) as compared
        {%- endif %}
{%- endmacro %}
