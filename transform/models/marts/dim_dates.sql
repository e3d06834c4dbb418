with

-- All days from 1970 to 2069: a later timestamp is treated as an error.
days as (

    select cast({{ dbt.dateadd('day', 'generated_number - 1', "cast('1970-01-01' as date)") }} as date) as date_day
    from ({{ dbt.generate_series(36525) }}) as numbers

),

span as (

    select
        cast(min(first_activity_at) as date) as first_day,
        cast(max(last_activity_at) as date) as last_day
    from {{ ref('dim_users') }}

)

select
    days.date_day,
    cast(extract(year from days.date_day) as integer) as year,
    cast(extract(quarter from days.date_day) as integer) as quarter,
    cast(extract(month from days.date_day) as integer) as month,
    cast(extract(day from days.date_day) as integer) as day_of_month,
    {{ first_of_month('days.date_day') }} as month_start
from days
inner join span
    on days.date_day between span.first_day and span.last_day
