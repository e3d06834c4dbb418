{# The keys that a summary has to compute again: those with fact rows of batches newer than its watermark, or with
   fact rows of a movie that such a batch brought, corrected or let ratings be adopted for. #}
{% macro touched_keys(key, facts) -%}
    {%- set watermark = batch_watermark(this) if is_incremental() else 0 -%}
    {%- set movies_changed = 'movies' in tables_since(watermark) -%}
    {%- for fact in facts %}
        select touched.{{ key }}
        from {{ fact }} as touched
        where touched._batch > {{ watermark }}
        {%- if movies_changed %}
            or touched.movie_id in (select movie_id from {{ ref('stg_movies') }} where _batch > {{ watermark }})
        {%- endif %}
        {{ 'union all' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
