{# A tag as a key: Unicode normal form C where the engine can, white space collapsed, lower case; null when blank. #}
{% macro normalise_tag(tag) -%}
    nullif(lower({{ collapse_white_space(normalise_unicode(tag)) }}), '')
{%- endmacro %}
