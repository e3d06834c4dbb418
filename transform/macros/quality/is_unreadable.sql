{# Whether a text has a replacement character, UTF-8 that was read as Latin-1, or a control character. #}
{% macro is_unreadable(text) -%}
    {%- set garbled = ['Ã©', 'Ã¨', 'Ã¤', 'Ã¶', 'Ã¼', 'Ã±', 'Ã³', 'â€'] -%}
    {%- set control = (range(1, 9) | list) + [11, 12] + (range(14, 32) | list) + [127] -%}
    (
        contains({{ text }}, chr(65533))
        {%- for letters in garbled %}
        or contains({{ text }}, '{{ letters }}')
        {%- endfor %}
        or {{ text }} != translate({{ text }}, chr({{ control | join(') || chr(') }}), '')
    )
{%- endmacro %}
