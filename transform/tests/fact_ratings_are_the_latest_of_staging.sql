-- Every value is compared; above 2 million ratings, those of a sample of users.
{%- set in_sample = in_sample('ratings', 'user_id') %}

with

staged as (select * from {{ ref('stg_ratings') }} where {{ in_sample }}),

latest as ({{ latest('staged', 'user_id, movie_id', event_time='rated_at') }}),

held as (select * from {{ ref('fact_ratings') }} where {{ in_sample }})

{{ differences('latest', 'held', 'user_id, movie_id, rating, rated_at') }}
