with

source as (

    select * from {{ source('raw', 'links') }}
    where {{ in_current_content('links') }}

),

renamed as (

    select

        ---------- ids
        movie_id,
        imdb_id,
        tmdb_id,

        ---------- lineage
        _batch,
        _part,
        _row

    from source

)

select * from renamed
