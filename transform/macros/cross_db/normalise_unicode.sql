{# Unicode normal form C. Snowflake has no function for it: there, the account's own `tools.nfc` does it (see
   pipeline/bootstrap.sql.j2). #}
{% macro normalise_unicode(text) -%}
    {{ return(adapter.dispatch('normalise_unicode')(text)) }}
{%- endmacro %}

{% macro snowflake__normalise_unicode(text) -%}
    {{ target.database }}.tools.nfc({{ text }})
{%- endmacro %}

{% macro duckdb__normalise_unicode(text) -%}
    nfc_normalize({{ text }})
{%- endmacro %}
