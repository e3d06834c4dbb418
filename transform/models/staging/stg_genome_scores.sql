with

source as (

    select * from {{ source('raw', 'genome_scores') }}
    where {{ in_current_content('genome_scores') }}

),

renamed as (

    select

        ---------- ids
        movie_id,
        tag_id as genome_tag_id,

        ---------- numbers
        relevance,

        ---------- lineage
        _batch,
        _part,
        _row

    from source

)

select * from renamed
