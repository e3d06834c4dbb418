with

source as (

    select * from {{ source('raw', 'movies') }}
    where {{ in_current_content('movies') }}

),

renamed as (

    select

        ---------- ids
        movie_id,

        ---------- text
        coalesce(title, '') as source_title,
        coalesce({{ title_text('title') }}, '') as title,
        nullif(nullif({{ strip('genres') }}, '(no genres listed)'), '') as genres,

        ---------- numbers
        {{ title_year('title') }} as release_year,

        ---------- lineage
        _batch,
        _part,
        _row

    from source

)

select * from renamed
