-- History would overlap or be lost if a batch took effect before the one before it; user ids of two data sets have
-- nothing in common; the first batch has each required table whole; and the ledger knows each table of each batch.
{%- set required = landed_tables() | selectattr('meta.required', 'defined') | map(attribute='name') | list %}

with

batches as (

    select
        batch_id,
        row_number() over (order by batch_id) as place,
        min(effective_at) as effective_at,
        lag(max(effective_at)) over (order by batch_id) as effective_before,
        max(dataset) as dataset,
        max(max(dataset)) over () as last_dataset,
        count(case when mode not in ('full', 'delta') then 1 end) as unknown_modes,
        count(case when mode = 'full' and table_name in ('{{ required | join("', '") }}') then 1 end) as whole_tables
    from {{ source('raw', 'batches') }}
    group by batch_id

),

listings as (

    select batch_id, table_name, 1 as in_batches, 0 as in_ledger from {{ source('raw', 'batches') }}
    union all
    select batch_id, table_name, 0 as in_batches, 1 as in_ledger from {{ source('raw', 'load_ledger') }}

),

faults as (

    select
        batch_id,
        case
            when effective_at <= effective_before then 'takes effect before the one before it'
            when dataset != last_dataset then 'is of another data set'
            when unknown_modes > 0 then 'has a table that is neither whole nor a delta'
            when place = 1 and whole_tables < {{ required | length }}
                then 'is the first one, without the whole of each required table'
        end as fault
    from batches

    union all

    select
        batch_id,
        table_name || ' is not once in the list of batches and once in the ledger' as fault
    from listings
    group by batch_id, table_name
    having sum(in_batches) != 1 or sum(in_ledger) != 1

)

select * from faults
where fault is not null
