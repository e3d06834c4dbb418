-- Every rating of the users that the waiting batches name is compared; above 2 million ratings, of a sample of them.
{%- set is_asked = in_sample('ratings', 'user_id') ~ ' and ' ~ new_rows() %}

with

users as (

    select user_id from {{ ref('stg_ratings') }} where {{ is_asked }}
    union distinct
    select user_id from {{ ref('fact_ratings') }} where {{ is_asked }}

),

staged as (select * from {{ ref('stg_ratings') }} where user_id in (select user_id from users)),

latest as ({{ latest('staged', 'user_id, movie_id', event_time='rated_at') }}),

held as (select * from {{ ref('fact_ratings') }} where user_id in (select user_id from users))

{{ differences('latest', 'held', 'user_id, movie_id, rating, rated_at') }}
