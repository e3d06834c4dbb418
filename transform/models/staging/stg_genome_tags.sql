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
        {{ lineage() }}

    from source

)

select * from renamed
