{# Where a staged row came from: the names that raw has, for people and for pruning, and the numbers in them, for
   everything that orders, compares or keeps them: text costs an engine three times as much there. A file's name ends
   in five digits and .csv.zst. #}
{% macro lineage() -%}
    _batch_id,
        {{ batch_number('_batch_id') }} as _batch_number,
        _file,
        cast(left(right(_file, 13), 5) as integer) as _part_number,
        _row
{%- endmacro %}

{% macro batch_number(batch_id) -%}
    cast({{ batch_id }} as integer)
{%- endmacro %}

{# The id of a batch number, as landing spells it; '' for none. #}
{% macro batch_id_of(number) -%}
    {{ return('%06d' % (number | int) if number is not none else '') }}
{%- endmacro %}
