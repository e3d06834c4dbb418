select *
from {{ source('raw', 'load_ledger') }}
where rows_read != rows_loaded + rows_rejected
