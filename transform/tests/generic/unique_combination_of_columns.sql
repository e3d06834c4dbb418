{# No two rows share the columns; named and shaped like dbt_utils' test. With `new_rows_only`, the keys of the batches
   that wait are checked against all rows: only such a key can have become double. Looking for a second row takes engines
   half the time that counting the rows of each key does. #}
{% test unique_combination_of_columns(model, combination_of_columns, new_rows_only=false) %}

{%- set columns = combination_of_columns | join(', ') %}
{%- set is_new = new_rows() if new_rows_only else 'true' %}

select {{ columns }}
from {{ model }}
{%- if is_new != 'true' %}
inner join (select distinct {{ columns }} from {{ model }} where {{ is_new }}) as new_keys using ({{ columns }})
{%- endif %}
qualify row_number() over (
    partition by {{ columns }}
    order by {{ combination_of_columns[0] }} nulls last
) = 2

{% endtest %}
