select
    user_id,
    movie_id,
    {{ hash_key('tag') }} as tag_id,
    tag,
    tagged_at,
    _batch
from ({{ latest(ref('stg_tags'), 'user_id, movie_id, tag', event_time='tagged_at') }}) as latest
