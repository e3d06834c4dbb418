{# Loads one committed batch into raw, in one transaction, once.

   `manifest`: the batch's manifest, as landing wrote it and the pipeline validated it, and `loaded_at`. `bucket`: where
   the parts' keys are found. A part whose rows are not those of the manifest is refused by name, and nothing of the
   batch stays. #}
{% macro load_batch(manifest, bucket) -%}
    {%- set batch_id = manifest.batch_id -%}
    {%- do prepare_raw() -%}
    {%- if run_query("select count(*) from " ~ source('raw', 'batches') ~ " where batch_id = '" ~ batch_id ~ "'").rows[0][0] -%}
        {%- do log('batch ' ~ batch_id ~ ' is loaded already', info=true) -%}
        {{ return('') }}
    {%- endif -%}
    {%- set rejected = {'columns': [], 'parts': manifest.rejected} -%}
    {%- for column in graph.sources['source.movielens.raw.rejected_rows'].columns.values() if column.name != 'batch_id' -%}
        {%- do rejected.columns.append({'name': column.name, 'type': column.data_type}) -%}
    {%- endfor -%}
    {%- set tables = dict(manifest.tables, rejected_rows=rejected) -%}
    {%- set before_rows = read_parts(tables, bucket) -%}
    {%- do run_load('begin') -%}
    {%- for name, table in tables.items() -%}{%- do run_load(load_parts(name, table, batch_id, before_rows)) -%}{%- endfor -%}
    {%- do run_load(record_batch(manifest)) -%}
    {%- do assert_parts_match(manifest) -%}
    {%- do run_load('commit') -%}
{%- endmacro %}

{% macro run_load(sql) -%}
    {%- if sql | trim -%}
        {%- call statement('load', auto_begin=false) -%}{{ sql }}{%- endcall -%}
    {%- endif -%}
{%- endmacro %}
