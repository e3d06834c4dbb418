with

source as (

    select * from {{ source('raw', 'users') }}
    where {{ in_current_content('users') }}

),

renamed as (

    select

        ---------- ids
        user_id,

        ---------- person
        gender,
        age,
        occupation,
        zip_code,

        ---------- lineage
        _batch,
        _part,
        _row

    from source

)

select * from renamed
