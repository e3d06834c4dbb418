{% snapshot snap_movies %}

-- The other columns of int_movies follow from the title: they have no history of their own.
select
    movie_id,
    source_title,
    genres
from {{ ref('int_movies') }}

{% endsnapshot %}
