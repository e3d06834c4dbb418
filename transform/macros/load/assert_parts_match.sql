{# Refuses a batch of which a part did not give the rows that its manifest says, or numbered them with gaps or from
   another number than 1: an engine may number a file's rows in an order of its own. #}
{% macro assert_parts_match(manifest) -%}
    {%- for name, table in manifest.tables.items() -%}
        {%- set found = {} -%}
        {%- set count_parts -%}
            select
                _part,
                count(*),
                min(_row),
                max(_row)
            from {{ source('raw', name) }}
            where _batch = {{ manifest.batch_id | int }}
            group by _part
        {%- endset -%}
        {%- for row in run_query(count_parts).rows -%}{%- do found.update({row[0] | int: row}) -%}{%- endfor -%}
        {%- for part in table.parts -%}
            {%- set _, rows, first, last = found.get(part_number(part.key), (0, 0, 1, 0)) -%}
            {%- if rows != part.rows or first != 1 or last != rows -%}
                {%- do run_load('rollback') -%}
                {%- do exceptions.raise_compiler_error(
                    part.key ~ ' has ' ~ rows ~ ' rows, numbered ' ~ first ~ ' to ' ~ last ~ ', and its manifest says '
                    ~ part.rows ~ ', numbered from 1: the part was changed after it was landed, or this engine does not '
                    ~ 'number rows as the load expects. Nothing of the batch was loaded.'
                ) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}

{# The number of a part, from its key: part-NNNNN.csv.zst. #}
{% macro part_number(key) -%}
    {{ return(key[-13:-8] | int) }}
{%- endmacro %}
