{# What people mean by white space, for a character class: POSIX blanks, no-break and typographic spaces, and the
   zero-width spaces, but not what joins letters or emoji. trim() removes only the ASCII space, on both engines. #}
{% macro white_space() -%}
    {{ return('[[:space:]\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]') }}
{%- endmacro %}

{# Text without outer white space. #}
{% macro strip(text) -%}
    {{ return(regexp_replace_all(text, '^' ~ white_space() ~ '+|' ~ white_space() ~ '+$', '')) }}
{%- endmacro %}

{# Text without outer white space, inner runs of it as one space. #}
{% macro collapse_white_space(text) -%}
    {{ return(strip(regexp_replace_all(text, white_space() ~ '+', ' '))) }}
{%- endmacro %}
