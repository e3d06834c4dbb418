{# Which batches a table's content was made of when each batch of `batches` came: the newest full one and the deltas
   since, up to the batch itself (`including`) or up to the one before it. No row: there was nothing. #}
{% macro content_batches(table_name, including=false) -%}
    select
        batches._batch,
        batches.mode,
        made_of._batch as held_batch
    from batches
    inner join {{ source('raw', 'batches') }} as made_of
        on made_of._batch {{ '<=' if including else '<' }} batches._batch
        and made_of.table_name = '{{ table_name }}'
    qualify made_of._batch >= coalesce(max(case when made_of.mode = 'full' then made_of._batch end) over (partition by batches._batch), 0)
{%- endmacro %}

{# The keys that a table had when each batch of `batches` came, its own included. #}
{% macro keys_held(table_name, key) -%}
    select distinct
        content._batch,
        held.{{ key }}
    from {{ source('raw', table_name) }} as held
    inner join ({{ content_batches(table_name, including=true) }}) as content
        on held._batch = content.held_batch
{%- endmacro %}

{# What a table held before each batch of `batches`: of each key the row that counted. #}
{% macro rows_before(table_name, key, event_time=none, where='true') -%}
    {%- set held -%}
        (
            select
                content.*,
                held.* exclude (_batch)
            from {{ source('raw', table_name) }} as held
            inner join ({{ content_batches(table_name) }}) as content
                on held._batch = content.held_batch
            where {{ where }}
        ) as held
    {%- endset -%}
    {{ latest(held, '_batch, ' ~ key, event_time, batch='held_batch') }}
{%- endmacro %}

{# What a table held before each batch of `batches`, each key beside what the batch brought for it, if anything. #}
{% macro before_and_after(table_name, key, brought) -%}
    ({{ rows_before(table_name, key) }}) as before
    left join ({{ latest(brought, '_batch, ' ~ key) }}) as after
        on before._batch = after._batch
        and before.{{ key }} = after.{{ key }}
{%- endmacro %}
