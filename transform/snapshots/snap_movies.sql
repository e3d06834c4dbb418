{% snapshot snap_movies %}

{{ config(unique_key='movie_id', check_cols=['source_title', 'genres']) }}

select
    movie_id,
    source_title,
    genres
from {{ ref('int_movies') }}

{% endsnapshot %}
