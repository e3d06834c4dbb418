-- Raw is append-only: a difference means that somebody wrote to it, or that a load was cut.
{%- set tables = landed_tables() %}

with

held as (

    {% for table in tables %}
    select
        '{{ table.name }}' as table_name,
        _batch,
        count(*) as row_count
    from {{ source('raw', table.name) }}
    group by _batch
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

booked as (

    select
        table_name,
        cast(batch_id as integer) as _batch,
        rows_loaded
    from {{ source('raw', 'load_ledger') }}
    where table_name in ('{{ tables | join("', '", attribute="name") }}') and rows_loaded > 0

)

select
    coalesce(held.table_name, booked.table_name) as table_name,
    coalesce(held._batch, booked._batch) as _batch,
    held.row_count,
    booked.rows_loaded
from held
full outer join booked
    on held.table_name = booked.table_name
    and held._batch = booked._batch
where held.row_count is distinct from booked.rows_loaded
