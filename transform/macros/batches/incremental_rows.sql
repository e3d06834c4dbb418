{# The staged rows that an incremental fact has not taken in: those of batches newer than its watermark, and those
   of a parent that arrived after them. A newly known parent is one that a waiting batch brought and that the fact
   has no row of; while a parent is known its rows are taken in at once, so any other has all of its rows. #}
{% macro arrived_or_adopted(parent_table, parent_key) -%}
    {%- set watermark = batch_watermark(this) -%}
    {%- set parents = source('raw', parent_table) -%}
    (
        _batch > {{ watermark }}
        {%- if parent_table in tables_since(watermark) %}
        or {{ parent_key }} in (
            select arrived.{{ parent_key }}
            from {{ parents }} as arrived
            left join (select distinct {{ parent_key }} from {{ this }}) as held
                on arrived.{{ parent_key }} = held.{{ parent_key }}
            where arrived._batch > {{ watermark }} and held.{{ parent_key }} is null
        )
        {%- endif %}
    )
{%- endmacro %}

{# Whether a row beats the one that a fact holds for its key: a later event wins, a tie goes to the later batch. #}
{% macro supersedes(latest, existing, event_time, key) -%}
    {{ existing }}.{{ key }} is null
    or {{ latest }}.{{ event_time }} > {{ existing }}.{{ event_time }}
    or (
        {{ latest }}.{{ event_time }} = {{ existing }}.{{ event_time }}
        and {{ latest }}._batch >= {{ existing }}._batch
    )
{%- endmacro %}

{# A pre-hook: removes from a fact the rows whose parent a waiting full batch has dropped. #}
{% macro remove_orphans(parent_table, key, parent) -%}
    {%- if is_incremental() and replacement_is_pending([parent_table], []) -%}
        delete from {{ this }} where {{ key }} not in (select {{ key }} from {{ ref(parent) }})
    {%- endif -%}
{%- endmacro %}
