{# Whether a text has a replacement character, a control character other than tabs and line ends, or UTF-8 that was read
   as Latin-1 or Windows-1252: a letter for the first byte, then one of the characters that stand for 80 to BF for each
   byte after it. Few texts need the second, exact look. #}
{% macro is_unreadable(text) -%}
    {%- set later = '[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]' -%}
    {%- set pattern = '[[:cntrl:]\ufffd]|[\u00c2-\u00df]' ~ later ~ '|[\u00e0-\u00ef]' ~ later ~ later -%}
    {%- set on_one_line = "translate(" ~ text ~ ", chr(9) || chr(10) || chr(13), '')" -%}
    (
        {{ text }} != {{ regexp_replace_all(text, pattern, '') }}
        and {{ on_one_line }} != {{ regexp_replace_all(on_one_line, pattern, '') }}
    )
{%- endmacro %}
