with

source as (

    select * from {{ source('raw', 'tags') }}
    where {{ in_current_content('tags') }}

),

renamed as (

    select

        ---------- ids
        user_id,
        movie_id,

        ---------- text
        tag as source_tag,
        {{ normalise_tag('tag') }} as tag,

        ---------- timestamps
        {{ epoch_to_timestamp('timestamp') }} as tagged_at,

        ---------- lineage
        _batch,
        _part,
        _row

    from source

),

not_blank as (

    select * from renamed
    where tag is not null

)

select * from not_blank
