{# Loads one committed batch into raw, in one transaction, once.

   `manifest`: dataset, batch_id, as_of, tables {name: {mode, source_file, rows_read, rows_rejected, parts}} and
   rejected, as landing wrote and the pipeline validated it. `bucket`: where the parts' keys are found.
   A part whose row count differs from the manifest is refused by name, and nothing of the batch stays. #}
{% macro load_batch(manifest, bucket) -%}
    {%- set batch_id = manifest.batch_id -%}
    {%- do use_role_of_loader() -%}
    {%- do create_raw_tables() -%}
    {%- if run_query("select count(*) from " ~ raw_relation('batches') ~ " where batch_id = '" ~ batch_id ~ "'").rows[0][0] -%}
        {%- do log('batch ' ~ batch_id ~ ' is loaded already', info=true) -%}
        {{ return('') }}
    {%- endif -%}
    {%- for table_name, table in manifest.tables.items() -%}
        {%- do _run(read_parts(table_name, table.parts, bucket)) -%}
    {%- endfor -%}
    {%- do _run(read_parts('rejected_rows', manifest.rejected, bucket)) -%}
    {%- do _run('begin') -%}
    {%- for table_name, table in manifest.tables.items() -%}
        {%- do _run(load_parts(table_name, batch_id, table.parts)) -%}
        {%- do _assert_parts_match(table_name, batch_id, table.parts) -%}
    {%- endfor -%}
    {%- do _run(load_parts('rejected_rows', batch_id, manifest.rejected)) -%}
    {%- do _run(record_batch_sql(manifest)) -%}
    {%- do _run('commit') -%}
{%- endmacro %}

{% macro _run(sql) -%}
    {%- if sql | trim -%}
        {%- call statement('load', auto_begin=false) -%}{{ sql }}{%- endcall -%}
    {%- endif -%}
{%- endmacro %}

{% macro _assert_parts_match(table_name, batch_id, parts) -%}
    {%- set found = {} -%}
    {%- set count_parts -%}
        select _file, count(*), max(_row) - min(_row) + 1
        from {{ raw_relation(table_name) }}
        where _batch_id = '{{ batch_id }}'
        group by _file
    {%- endset -%}
    {%- for row in run_query(count_parts).rows -%}{%- do found.update({row[0]: row}) -%}{%- endfor -%}
    {%- for part in parts -%}
        {%- set _, rows, span = found.get(part.key, (part.key, 0, 0)) -%}
        {%- if rows != part.rows -%}
            {%- do _run('rollback') -%}
            {%- do exceptions.raise_compiler_error(
                part.key ~ ' has ' ~ rows ~ ' rows, its manifest says ' ~ part.rows
                ~ ': the part was changed after it was landed. Nothing of the batch was loaded.'
            ) -%}
        {%- elif span != rows -%}
            {%- do _run('rollback') -%}
            {%- do exceptions.raise_compiler_error(
                part.key ~ ' has ' ~ rows ~ ' rows, but their numbers span ' ~ span
                ~ ': this engine does not number rows as the load expects. Nothing of the batch was loaded.'
            ) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{# History's clock is `effective_at`: the batch's as_of, or, for a delta that arrives late, the instant after the
   batch before it. It depends on landed manifests alone, so a replay gives the same history. #}
{% macro record_batch_sql(manifest) -%}
    {%- set as_of = "cast('" ~ manifest.as_of ~ "' as datetime)" -%}
    {%- set previous = '(select max(effective_at) from ' ~ raw_relation('batches') ~ ')' -%}
    insert into {{ raw_relation('batches') }} (batch_id, dataset, as_of, effective_at, table_name, mode)
    select
        '{{ manifest.batch_id }}',
        '{{ manifest.dataset }}',
        {{ as_of }},
        greatest({{ as_of }}, coalesce({{ dbt.dateadd('microsecond', 1, previous) }}, {{ as_of }})),
        table_name,
        mode
    from (
        {%- for table_name, table in manifest.tables.items() %}
        select '{{ table_name }}' as table_name, '{{ table.mode }}' as mode
        {{- ' union all' if not loop.last }}
        {%- endfor %}
    ) as loaded;
    {%- for table_name, table in manifest.tables.items() %}
    insert into {{ raw_relation('load_ledger') }}
        (batch_id, table_name, file, rows_read, rows_loaded, rows_rejected, loaded_at)
    select
        '{{ manifest.batch_id }}',
        '{{ table_name }}',
        '{{ table.source_file }}',
        {{ table.rows_read }},
        (select count(*) from {{ raw_relation(table_name) }} where _batch_id = '{{ manifest.batch_id }}'),
        (
            select count(*)
            from {{ raw_relation('rejected_rows') }}
            where batch_id = '{{ manifest.batch_id }}' and table_name = '{{ table_name }}'
        ),
        {{ utc_now() }};
    {%- endfor %}
{%- endmacro %}
