-- History would overlap or be lost if a batch took effect before the one before it; user ids of two data sets have
-- nothing in common; the first batch has each required table whole; and the ledger knows each table of each batch.
{%- set required = landed_tables() | selectattr('meta.required', 'defined') | map(attribute='name') | list %}

with

batches as (

    select
        batch_id,
        min(effective_at) as effective_at,
        lag(max(effective_at)) over (order by batch_id) as effective_before,
        row_number() over (order by batch_id) as place,
        count(case when mode = 'full' and table_name in ('{{ required | join("', '") }}') then 1 end) as whole_tables
    from {{ source('raw', 'batches') }}
    group by batch_id

)

select
    batch_id,
    'takes effect before the one before it' as fault
from batches
where effective_at <= effective_before

union all

select
    batch_id,
    'is the first one, without the whole of each required table' as fault
from batches
where place = 1 and whole_tables < {{ required | length }}

union all

select
    max(batch_id) as batch_id,
    'is of another data set' as fault
from {{ source('raw', 'batches') }}
having count(distinct dataset) > 1

union all

select
    coalesce(batches.batch_id, ledger.batch_id) as batch_id,
    coalesce(batches.table_name, ledger.table_name) || ' is in the ledger or the list of batches alone' as fault
from {{ source('raw', 'batches') }} as batches
full outer join {{ source('raw', 'load_ledger') }} as ledger
    on batches.batch_id = ledger.batch_id
    and batches.table_name = ledger.table_name
where batches.batch_id is null or ledger.batch_id is null
