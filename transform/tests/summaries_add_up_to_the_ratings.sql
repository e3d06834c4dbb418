-- Every road from the fact to its size and to the sum of its stars. Means have four digits, hence the tolerance. A rating
-- that is no half star is missing in rating_distribution.
{%- set roads = [
    ('fact_ratings', 'by_star', 'rating', none),
    ('movie_ratings', ref('movie_ratings'), 'rating_mean', 'fact_ratings'),
    ('user_activity', ref('user_activity'), 'rating_mean', 'fact_ratings'),
    ('rating_distribution', 'distribution', 'rating', 'fact_ratings'),
    ('genres of movie_ratings', 'movies_in_genres', 'rating_mean', none),
    ('genre_ratings_by_month', 'months_of_genres', 'rating_mean', 'genres of movie_ratings'),
] %}

with

by_star as (

    select
        rating,
        count(*) as rating_count,
        {{ mean('count(*)', 'sum(count(*)) over ()') }} as share
    from {{ ref('fact_ratings') }}
    group by rating

),

-- the stars whose count and share are right
distribution as (

    select by_star.*
    from by_star
    inner join {{ ref('rating_distribution') }} using (rating, rating_count, share)

),

-- the months of genres that are there
months_of_genres as (

    select months.*
    from {{ ref('genre_ratings_by_month') }} as months
    inner join {{ ref('dim_genres') }} as genres
        on months.genre_id = genres.genre_id
        and months.genre = genres.genre

),

movies_in_genres as (

    select movies.*
    from {{ ref('movie_ratings') }} as movies
    inner join {{ ref('bridge_movie_genres') }} as bridge
        on movies.movie_id = bridge.movie_id

),

totals as (

    {% for road, relation, mean, other_road in roads -%}
    select
        '{{ road }}' as road,
        '{{ other_road }}' as other_road,
        coalesce(sum(rating_count), 0) as ratings,
        coalesce(sum(cast({{ mean }} as double) * rating_count), 0) as stars
    from {{ relation }}
    {{ 'union all' if not loop.last }}
    {% endfor -%}

)

select
    totals.*,
    other.ratings as other_ratings,
    other.stars as other_stars
from totals
inner join totals as other
    on totals.other_road = other.road
where totals.ratings != other.ratings
    or abs(totals.stars - other.stars) > 0.0001 * other.stars
