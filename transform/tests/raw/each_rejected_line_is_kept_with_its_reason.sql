with

kept as (

    select
        batch_id,
        table_name,
        count(reason) as rejected_rows
    from {{ source('raw', 'rejected_rows') }}
    group by 1, 2

)

select
    coalesce(ledger.batch_id, kept.batch_id) as batch_id,
    coalesce(ledger.table_name, kept.table_name) as table_name,
    ledger.rows_rejected,
    kept.rejected_rows
from {{ source('raw', 'load_ledger') }} as ledger
full outer join kept
    on ledger.batch_id = kept.batch_id
    and ledger.table_name = kept.table_name
where coalesce(ledger.rows_rejected, 0) != coalesce(kept.rejected_rows, 0)
