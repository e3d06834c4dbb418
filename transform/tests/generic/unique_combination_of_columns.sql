{# No two rows share the columns; named and shaped like dbt_utils' test. With `changed_only`, the rows of waiting
   batches are held against all rows: only a key that changed can have become double. #}
{% test unique_combination_of_columns(model, combination_of_columns, changed_only=false) %}

{%- set columns = combination_of_columns | join(', ') %}

{%- if changed_only and changed_rows() != 'true' %}
with

changed as (

    select distinct {{ columns }}
    from {{ model }}
    where {{ changed_rows() }}

)

{% endif %}
select {{ columns }}
from {{ model }}
{%- if changed_only and changed_rows() != 'true' %}
inner join changed using ({{ columns }})
{%- endif %}
group by {{ columns }}
having count(*) > 1

{% endtest %}
