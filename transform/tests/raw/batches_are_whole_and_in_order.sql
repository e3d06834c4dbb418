-- History would overlap or be lost if a batch took effect before the one before it; user ids of two data sets have
-- nothing in common; the first batch has each required table whole; and the ledger knows each table of each batch.
{%- set batches, ledger = source('raw', 'batches'), source('raw', 'load_ledger') %}
{%- set required = landed_tables() | selectattr('meta.required', 'defined') | map(attribute='name') | list %}

select
    batch_id,
    table_name || ' is neither whole nor a delta' as fault
from {{ batches }}
where coalesce(mode not in ('full', 'delta'), true)

union all

select
    batch_id,
    'takes effect before the one before it' as fault
from {{ batches }}
group by batch_id
qualify min(effective_at) <= lag(max(effective_at)) over (order by batch_id)

union all

select
    max(batch_id) as batch_id,
    'is of another data set' as fault
from {{ batches }}
having count(distinct dataset) > 1

union all

select
    batch_id,
    'is the first one, without the whole of each required table' as fault
from (select * from {{ batches }} qualify dense_rank() over (order by batch_id) = 1) as first_batch
group by batch_id
having count(case when mode = 'full' and table_name in ('{{ required | join("', '") }}') then 1 end) < {{ required | length }}

union all

select
    batch_id,
    table_name || ' is not once in the list of batches and once in the ledger' as fault
from (
    select batch_id, table_name, 1 as listed, 0 as booked from {{ batches }}
    union all
    select batch_id, table_name, 0 as listed, 1 as booked from {{ ledger }}
) as listings
group by batch_id, table_name
having sum(listed) != 1 or sum(booked) != 1
