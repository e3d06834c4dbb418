-- The catalogue as it was on a day, beside what each title and genre list is today.
select
    then_.movie_id,
    then_.source_title as title_then,
    now_.source_title as title_now,
    then_.genres as genres_then,
    now_.genres as genres_now
from {{ as_of('dim_movies_history', var('as_of', '2017-01-01')) }} as then_
left join {{ ref('dim_movies') }} as now_
    on then_.movie_id = now_.movie_id
where now_.movie_id is null
    or then_.source_title is distinct from now_.source_title
    or then_.genres is distinct from now_.genres
order by then_.movie_id nulls last
