{# The year group at the end of a MovieLens title: `(1995)`, the ranges `(1975-1979)` and `(2006–2007)`, the open
   ones `(2007-)` and `(2009– )`, and the stray `(1983))`. Group 1 is the year, the first one of a range. #}
{% macro title_year_pattern() -%}
    {%- set blank = white_space() ~ '*' -%}
    {{ return(blank ~ '[(](1[89][0-9][0-9]|20[0-9][0-9])([-\u2013\u2014]' ~ blank ~ '([0-9][0-9][0-9][0-9])?)?' ~ blank ~ '[)]+' ~ blank ~ '$') }}
{%- endmacro %}

{# The release year that a title ends in, null where there is none. #}
{% macro title_year(title) -%}
    cast({{ regexp_group(title, title_year_pattern(), 1) }} as integer)
{%- endmacro %}

{# A title without its trailing year and outer white space; a doubled `(2017) (2017)` is one year written twice.
   A title that is nothing but its year stays. #}
{% macro title_text(title) -%}
    {%- set once = regexp_replace_all(title, title_year_pattern(), '') -%}
    {%- set twice = regexp_replace_all(once, title_year_pattern(), '') -%}
    coalesce(
        nullif({{ strip('case when ' ~ title_year(once) ~ ' = ' ~ title_year(title) ~ ' then ' ~ twice ~ ' else ' ~ once ~ ' end') }}, ''),
        {{ strip(title) }}
    )
{%- endmacro %}
