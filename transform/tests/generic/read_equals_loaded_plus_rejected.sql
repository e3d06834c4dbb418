{# Nothing is lost silently: every line of a source file was either loaded or rejected. #}
{% test read_equals_loaded_plus_rejected(model) %}

select *
from {{ model }}
where rows_read != rows_loaded + rows_rejected

{% endtest %}
