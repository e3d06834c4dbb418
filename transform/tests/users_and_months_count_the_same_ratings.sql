-- Two roads from the fact to its size: by user and by movie and month.
with

counts as (

    select
        (select count(*) from {{ ref('fact_ratings') }}) as in_fact,
        (select coalesce(sum(rating_count), 0) from {{ ref('dim_users') }}) as by_user,
        (select coalesce(sum(rating_count), 0) from {{ ref('movie_ratings') }}) as by_movie

)

select *
from counts
where in_fact != by_user or in_fact != by_movie
