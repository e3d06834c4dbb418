with

source as (

    select * from {{ source('raw', 'genome_tags') }}
    where {{ in_current_content('genome_tags') }}

),

renamed as (

    select

        ---------- ids
        tag_id as genome_tag_id,

        ---------- text
        {{ normalise_tag('tag') }} as tag,

        ---------- lineage
        _batch,
        _part,
        _row

    from source

)

select * from renamed
