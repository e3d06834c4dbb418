{# dbt's own switch, and one more reason, without which a full batch could not replace what an incremental model holds:
   the model lists in `meta.replaced_by` the raw tables whose full batch does so, and in `meta.rebuilt_by` those of which
   any batch does. While one waits, building the model is a full refresh, and `is_incremental()` says so to it. #}
{% macro should_full_refresh() -%}
    {%- set configured = config.get('full_refresh') -%}
    {%- if configured is not none -%}{{ return(configured) }}{%- endif -%}
    {%- if flags.FULL_REFRESH -%}{{ return(true) }}{%- endif -%}
    {%- set meta = config.get('meta') or {} -%}
    {%- if not execute or not meta or load_relation(this) is none -%}{{ return(false) }}{%- endif -%}
    {%- set waiting -%}
        select count(*)
        from {{ source('raw', 'batches') }}
        where {{ new_rows() }}
            and (
                (mode = 'full' and table_name in ('{{ meta.replaced_by | join("', '") }}'))
                or table_name in ('{{ meta.get('rebuilt_by', []) | join("', '") }}')
            )
    {%- endset -%}
    {{ return(run_query(waiting).rows[0][0] > 0) }}
{%- endmacro %}
