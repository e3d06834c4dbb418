-- Asked of the batches that wait: only they can bring a movie that nothing named before.
{%- set is_new = new_rows() %}
(
    {% for fact in ['fact_ratings', 'fact_movie_tags', 'fact_genome_scores'] %}
    select movie_id from {{ ref(fact) }} where {{ is_new }}
    {{ 'union distinct' if not loop.last }}
    {% endfor %}
)
except
select movie_id from {{ ref('dim_movies') }}
