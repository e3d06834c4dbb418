with

source as (

    select * from {{ source('raw', 'ratings') }}
    where {{ in_current_content('ratings') }}

),

renamed as (

    select

        ---------- ids
        user_id,
        movie_id,

        ---------- numbers
        rating,

        ---------- timestamps
        {{ epoch_to_timestamp('timestamp') }} as rated_at,

        ---------- lineage
        _batch,
        _part,
        _row

    from source

)

select * from renamed
