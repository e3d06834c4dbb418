{{ config(materialized='view') }}

with

tags as (

    select * from {{ ref('stg_tags') }}

),

latest as (

    {{ deduplicate(
        'tags',
        'user_id, movie_id, tag',
        'tagged_at desc nulls last, _batch_id desc nulls last, _file desc nulls last, _row desc nulls last'
    ) }}

)

select
    user_id,
    movie_id,
    {{ hash_key('tag') }} as tag_id,
    tag,
    tagged_at
from latest
