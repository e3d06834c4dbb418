-- Each raw table has the columns and types that the sources describe, and no other.
with

described as (

    {% for table in (graph.sources.values() if execute else []) if table.source_name == 'raw' %}
    {%- set outer = loop %}
    {%- for column in table.columns.values() %}
    select
        '{{ table.name }}' as table_name,
        '{{ column.name }}' as column_name,
        '{{ column.data_type.split('(')[0] | replace('bigint', 'integer') }}' as data_type
    {{ 'union all' if not (loop.last and outer.last) }}
    {%- endfor %}
    {%- endfor %}

),

found as (

    select
        lower(table_name) as table_name,
        lower(column_name) as column_name,
        case
            when lower(data_type) like 'timestamp%' then 'datetime'
            when lower(data_type) in ('integer', 'bigint') then 'integer'
            when lower(data_type) like 'decimal%' or lower(data_type) like 'num%'
                then case when numeric_scale = 0 then 'integer' else 'decimal' end
            when lower(data_type) in ('double', 'float') then 'double'
            when lower(data_type) in ('varchar', 'text') then 'varchar'
            else lower(data_type)
        end as data_type
    from information_schema.columns
    where lower(table_schema) = lower('{{ source('raw', 'batches').schema }}')

)

{{ differences('described', 'found', 'table_name, column_name, data_type') }}
