{# SQL that records a batch: its tables, its files, and the ledger.

   History's clock is `effective_at`: the batch's as_of, or, for a delta that arrives late, a microsecond after the
   batch before it. It depends on landed manifests alone, so a replay gives the same history. #}
{% macro record_batch(manifest) -%}
    {%- set batch_id, batch = "'" ~ manifest.batch_id ~ "'", manifest.batch_id | int -%}
    {%- set as_of = "cast('" ~ manifest.as_of ~ "' as datetime)" -%}
    {%- set previous = '(select max(effective_at) from ' ~ source('raw', 'batches') ~ ')' -%}
    insert into {{ source('raw', 'batches') }} (batch_id, _batch, dataset, as_of, effective_at, sha256, table_name, mode)
    select
        {{ batch_id }},
        {{ batch }},
        '{{ manifest.dataset }}',
        {{ as_of }},
        greatest({{ as_of }}, coalesce({{ dbt.dateadd('microsecond', 1, previous) }}, {{ as_of }})),
        '{{ manifest.sha256 }}',
        table_name,
        mode
    from (
        {%- for name, table in manifest.tables.items() %}
        select '{{ name }}' as table_name, '{{ table.mode }}' as mode
        {{- ' union all' if not loop.last }}
        {%- endfor %}
    ) as loaded;
    {%- for name, table in manifest.tables.items() %}
    {%- for part in table.parts %}
    {{- 'insert into ' ~ source('raw', 'files') ~ ' (batch_id, table_name, _batch, _part, key, source_file, first_line, row_count) values' if loop.first }}
        ({{ batch_id }}, '{{ name }}', {{ batch }}, {{ part_number(part.key) }}, '{{ part.key }}', '{{ table.source_file }}', {{ part.first_line }}, {{ part.rows }}){{ ';' if loop.last else ',' }}
    {%- endfor %}
    insert into {{ source('raw', 'load_ledger') }}
        (batch_id, table_name, file, rows_read, rows_loaded, rows_rejected, loaded_at)
    select
        {{ batch_id }},
        '{{ name }}',
        '{{ table.source_file }}',
        {{ table.rows_read }},
        (select count(*) from {{ source('raw', name) }} where _batch = {{ batch }}),
        (select count(*) from {{ source('raw', 'rejected_rows') }} where batch_id = {{ batch_id }} and table_name = '{{ name }}'),
        cast('{{ manifest.loaded_at }}' as datetime);
    {%- endfor %}
{%- endmacro %}
