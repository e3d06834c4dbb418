{# A tag as a key: white space collapsed, lower case, Unicode normal form C where the engine can; null when blank. It is
   composed last, since there are letters that only their lower case has in one piece. #}
{% macro normalise_tag(tag) -%}
    nullif({{ normalise_unicode('lower(' ~ collapse_white_space(tag) ~ ')') }}, '')
{%- endmacro %}
