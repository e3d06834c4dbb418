{# Two relations hold the same in some columns; named and shaped like dbt_utils' test. #}
{% test equality(model, compare_model, compare_columns) %}

{{ differences(model, compare_model, compare_columns | join(', ')) }}

{% endtest %}
