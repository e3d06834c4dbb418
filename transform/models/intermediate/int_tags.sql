with

tags as (

    select * from {{ ref('stg_tags') }}

),

latest as (

    {{ latest('tags', 'user_id, movie_id, tag', event_time='tagged_at') }}

)

select
    user_id,
    movie_id,
    {{ hash_key('tag') }} as tag_id,
    tag,
    tagged_at,
    _batch
from latest
