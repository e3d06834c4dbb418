{# dbt's own switch, and one more reason: a model lists in `meta.replaced_by` the raw tables whose full batch
   replaces its content, and in `meta.rebuilt_by` those of which any batch does. While one is newer than what the
   model holds, building it is a full refresh, and `is_incremental()` says so to the model. #}
{% macro should_full_refresh() -%}
    {%- set configured = config.get('full_refresh') -%}
    {%- if configured is not none -%}{{ return(configured) }}{%- endif -%}
    {%- if flags.FULL_REFRESH -%}{{ return(true) }}{%- endif -%}
    {%- set meta = config.get('meta') or {} -%}
    {{ return(replacement_is_pending(meta.get('replaced_by', []), meta.get('rebuilt_by', []))) }}
{%- endmacro %}

{% macro replacement_is_pending(replaced_by, rebuilt_by) -%}
    {%- if not execute or not (replaced_by or rebuilt_by) or load_relation(this) is none -%}
        {{ return(false) }}
    {%- endif -%}
    {%- set pending -%}
        select count(*)
        from {{ source('raw', 'batches') }}
        where _batch > {{ batch_watermark(this) }}
            and (
                (mode = 'full' and table_name in ('{{ replaced_by | join("', '") }}'))
                or table_name in ('{{ rebuilt_by | join("', '") }}')
            )
    {%- endset -%}
    {{ return(run_query(pending).rows[0][0] > 0) }}
{%- endmacro %}
