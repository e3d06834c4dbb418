-- Raw is append-only: a difference means that somebody wrote to it, or that a load was cut.
with

held as (

    {% for table in landed_tables() %}
    select '{{ table.name }}' as counted, _batch, count(*) as row_count
    from {{ source('raw', table.name) }}
    group by _batch

    union all
    {% endfor %}
    select table_name || ' by part' as counted, _batch, sum(row_count) as row_count
    from {{ source('raw', 'files') }}
    group by 1, 2

    union all

    select table_name || ' rejected' as counted, cast(batch_id as integer) as _batch, count(reason) as row_count
    from {{ source('raw', 'rejected_rows') }}
    group by 1, 2

),

booked as (

    {% for counted, rows in [('', 'rows_loaded'), (' by part', 'rows_loaded'), (' rejected', 'rows_rejected')] %}
    select table_name || '{{ counted }}' as counted, cast(batch_id as integer) as _batch, {{ rows }} as row_count
    from {{ source('raw', 'load_ledger') }}
    where {{ rows }} > 0
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

{{ differences('held', 'booked', 'counted, _batch, row_count') }}
