with

renamed as (

    select
        user_id,
        movie_id,
        tag as source_tag,
        {{ normalise_tag('tag') }} as tag,
        {{ epoch_to_timestamp('timestamp') }} as tagged_at,
        _batch,
        _part,
        _row
    from {{ source('raw', 'tags') }}
    where {{ in_current_content('tags') }}

)

select * from renamed
where tag is not null
