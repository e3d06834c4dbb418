{# Unicode normal form C. Snowflake has no function for it: there, text stays as it was shipped. #}
{% macro normalise_unicode(text) -%}
    {{ return(adapter.dispatch('normalise_unicode')(text)) }}
{%- endmacro %}

{% macro default__normalise_unicode(text) -%}
    {{ text }}
{%- endmacro %}

{% macro duckdb__normalise_unicode(text) -%}
    nfc_normalize({{ text }})
{%- endmacro %}
