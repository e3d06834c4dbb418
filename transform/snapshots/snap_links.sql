{% snapshot snap_links %}

{{ config(unique_key='movie_id', check_cols=['imdb_id', 'tmdb_id']) }}

select
    movie_id,
    imdb_id,
    tmdb_id
from {{ ref('int_links') }}

{% endsnapshot %}
