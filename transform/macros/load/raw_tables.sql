{# The raw tables: the source's columns in its order, under snake-case names, typed. #}
{% macro raw_columns() -%}
    {{ return({
        'movies': {'movie_id': 'integer', 'title': 'varchar', 'genres': 'varchar'},
        'ratings': {'user_id': 'integer', 'movie_id': 'integer', 'rating': 'decimal(2, 1)', 'timestamp': 'bigint'},
        'tags': {'user_id': 'integer', 'movie_id': 'integer', 'tag': 'varchar', 'timestamp': 'bigint'},
        'links': {'movie_id': 'integer', 'imdb_id': 'varchar', 'tmdb_id': 'integer'},
        'genome_scores': {'movie_id': 'integer', 'tag_id': 'integer', 'relevance': 'double'},
        'genome_tags': {'tag_id': 'integer', 'tag': 'varchar'},
        'rejected_rows': {
            'table_name': 'varchar', 'file': 'varchar', 'line': 'bigint', 'reason': 'varchar', 'raw_line': 'varchar',
        },
    }) }}
{%- endmacro %}

{% macro raw_relation(name) -%}
    {{ return(api.Relation.create(database=target.database, schema=generate_schema_name('raw'), identifier=name)) }}
{%- endmacro %}

{# Creates what is missing of schemas raw and ops. Run before a load's transaction: DDL would commit it on Snowflake. #}
{% macro create_raw_tables() -%}
    {%- set lineage = {'_batch_id': 'varchar', '_file': 'varchar', '_row': 'bigint'} -%}
    {%- set tables = {
        'batches': {
            'batch_id': 'varchar', 'dataset': 'varchar', 'as_of': 'datetime', 'effective_at': 'datetime',
            'table_name': 'varchar', 'mode': 'varchar',
        },
        'load_ledger': {
            'batch_id': 'varchar', 'table_name': 'varchar', 'file': 'varchar', 'rows_read': 'bigint',
            'rows_loaded': 'bigint', 'rows_rejected': 'bigint', 'loaded_at': 'datetime',
        },
    } -%}
    {%- for name, columns in raw_columns().items() -%}
        {%- set all_columns = {'batch_id': 'varchar'} if name == 'rejected_rows' else {} -%}
        {%- do all_columns.update(columns) -%}
        {%- do all_columns.update({} if name == 'rejected_rows' else lineage) -%}
        {%- do tables.update({name: all_columns}) -%}
    {%- endfor -%}
    {%- for relation in [raw_relation('batches'), builds_relation()] -%}
        {%- if not adapter.check_schema_exists(relation.database, relation.schema) -%}
            {%- do adapter.create_schema(relation) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- call statement('create_raw_tables', auto_begin=false) -%}
        create table if not exists {{ builds_relation() }} (
            batch_id varchar, project_version varchar, built_at datetime
        );
        {%- for name, columns in tables.items() %}
        create table if not exists {{ raw_relation(name) }} (
            {%- for column, type in columns.items() %}
            {{ column }} {{ type }}{{ ',' if not loop.last }}
            {%- endfor %}
        );
        {%- endfor %}
    {%- endcall -%}
{%- endmacro %}
