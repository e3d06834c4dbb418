{% snapshot snap_tags %}

{{ config(unique_key='movie_tag_key', check_cols=['tagged_at']) }}

-- One key that is never null: a null in a composite key would make a new version at every run.
select
    cast(user_id as varchar) || '-' || cast(movie_id as varchar) || '-' || cast(tag_id as varchar) as movie_tag_key,
    user_id,
    movie_id,
    tag_id,
    tag,
    tagged_at
from {{ ref('int_tags') }}

{% endsnapshot %}
