{# Staging shows what raw's current content is, no more and no less: the rows of its newest full batch and of the deltas
   since, counted and summed. `not_blank` names a text without which staging leaves a row out. #}
{% test holds_current_content(model, table_name, sums=[], not_blank=none) %}

with

newest_full as (

    select max(_batch) as _batch
    from {{ source('raw', 'batches') }}
    where table_name = '{{ table_name }}' and mode = 'full'

),

held as (

    select
        count(*) as row_count
        {%- for column in sums %},
        sum({{ column }}) as {{ column }}
        {%- endfor %}
    from {{ source('raw', table_name) }}
    where _batch >= (select coalesce(max(_batch), 0) from newest_full)
        {%- if not_blank %}
        and coalesce({{ strip(not_blank) }}, '') != ''
        {%- endif %}

),

shown as (

    select
        count(*) as row_count
        {%- for column in sums %},
        sum({{ column }}) as {{ column }}
        {%- endfor %}
    from {{ model }}

)

select
    held.row_count as rows_in_raw,
    shown.row_count as rows_in_staging
from held
cross join shown
where held.row_count != shown.row_count
    {%- for column in sums %}
    or held.{{ column }} is distinct from shown.{{ column }}
    {%- endfor %}

{% endtest %}
