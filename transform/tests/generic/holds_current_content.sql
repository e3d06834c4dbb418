{# Staging shows what raw's current content is, no more and no less: the rows of its newest full batch and of the deltas
   since, counted and summed. `not_blank` names a text without which staging leaves a row out. #}
{% test holds_current_content(model, table_name, sums=[], not_blank=none) %}

{%- set totals %}
    count(*) as row_count
    {%- for column in sums %},
    sum({{ column }}) as {{ column }}
    {%- endfor %}
{%- endset %}

select {{ totals }}
from {{ source('raw', table_name) }}
where {{ in_current_content(table_name) }}
    {%- if not_blank %}
    and coalesce({{ strip(not_blank) }}, '') != ''
    {%- endif %}

except

select {{ totals }}
from {{ model }}

{% endtest %}
