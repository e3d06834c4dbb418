{# True for the raw rows that a table's current content is made of: its newest full batch and the deltas since. #}
{% macro in_current_content(table_name) -%}
    _batch >= (
        select coalesce(max(_batch), 0)
        from {{ source('raw', 'batches') }}
        where table_name = '{{ table_name }}' and mode = 'full'
    )
{%- endmacro %}
