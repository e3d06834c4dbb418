"""The columns of every relation and their types, on both engines: `integer` is NUMBER(38, 0) on Snowflake."""

from __future__ import annotations

from expectations.measure import NONE, Measure, Suite

_LINEAGE = "_batch integer, _part integer, _row integer"

RAW = {
    "movies": f"movie_id integer, title text, genres text, {_LINEAGE}",
    "ratings": f"user_id integer, movie_id integer, rating decimal, timestamp integer, {_LINEAGE}",
    "tags": f"user_id integer, movie_id integer, tag text, timestamp integer, {_LINEAGE}",
    "links": f"movie_id integer, imdb_id text, tmdb_id integer, {_LINEAGE}",
    "genome_scores": f"movie_id integer, tag_id integer, relevance double, {_LINEAGE}",
    "genome_tags": f"tag_id integer, tag text, {_LINEAGE}",
    "users": f"user_id integer, gender text, age integer, occupation text, zip_code text, {_LINEAGE}",
    "rejected_rows": "batch_id text, table_name text, file text, line integer, reason text, raw_line text",
    "load_ledger": (
        "batch_id text, table_name text, file text, rows_read integer, rows_loaded integer, rows_rejected integer,"
        " loaded_at timestamp"
    ),
    "batches": (
        "batch_id text, _batch integer, dataset text, as_of timestamp, effective_at timestamp, table_name text, mode text"
    ),
    "files": (
        "batch_id text, table_name text, _batch integer, _part integer, key text, source_file text, first_line integer,"
        " row_count integer"
    ),
}
STAGING = {
    "stg_movies": f"movie_id integer, source_title text, title text, genres text, release_year integer, {_LINEAGE}",
    "stg_ratings": f"user_id integer, movie_id integer, rating decimal, rated_at timestamp, {_LINEAGE}",
    "stg_tags": f"user_id integer, movie_id integer, source_tag text, tag text, tagged_at timestamp, {_LINEAGE}",
    "stg_links": f"movie_id integer, imdb_id text, tmdb_id integer, {_LINEAGE}",
    "stg_genome_scores": f"movie_id integer, genome_tag_id integer, relevance double, {_LINEAGE}",
    "stg_genome_tags": f"genome_tag_id integer, tag text, {_LINEAGE}",
    "stg_users": f"user_id integer, gender text, age integer, occupation text, zip_code text, {_LINEAGE}",
}
MARTS = {
    "dim_movies": (
        "movie_id integer, is_inferred boolean, title text, source_title text, release_year integer, genres text,"
        " imdb_id text, tmdb_id integer"
    ),
    "dim_movies_history": (
        "movie_id integer, source_title text, genres text, valid_from timestamp, valid_to timestamp, is_current boolean"
    ),
    "dim_users": (
        "user_id integer, first_activity_at timestamp, last_activity_at timestamp, rating_count integer,"
        " tag_count integer, gender text, age_band text, occupation text, zip_code text, state text"
    ),
    "dim_tags": "tag_id integer, tag text, genome_tag_id integer",
    "dim_genres": "genre_id integer, genre text",
    "bridge_movie_genres": "movie_id integer, genre_id integer",
    "dim_dates": "date_day date",
    "fact_ratings": "user_id integer, movie_id integer, rating decimal, rated_at timestamp",
    "fact_movie_tags": "user_id integer, movie_id integer, tag_id integer, tagged_at timestamp",
    "fact_genome_scores": "movie_id integer, tag_id integer, relevance double",
}
SNAPSHOTS = {
    "snap_movies": "movie_id integer, source_title text, genres text, valid_from timestamp, valid_to timestamp",
    "snap_links": "movie_id integer, imdb_id text, tmdb_id integer, valid_from timestamp, valid_to timestamp",
    "snap_tags": (
        "user_id integer, movie_id integer, tag_id integer, tagged_at timestamp, valid_from timestamp,"
        " valid_to timestamp"
    ),
}

_FAMILY = """
    case
        when lower(data_type) like 'timestamp%' or lower(data_type) = 'datetime' then 'timestamp'
        when lower(data_type) in ('integer', 'bigint', 'int') then 'integer'
        when lower(data_type) like 'decimal%' or lower(data_type) like 'num%'
            then case when numeric_scale = 0 then 'integer' else 'decimal' end
        when lower(data_type) in ('double', 'float', 'real', 'double precision') then 'double'
        when lower(data_type) in ('varchar', 'text', 'string', 'character varying') then 'text'
        else lower(data_type)
    end
"""


def _suite(stage: str, relations: dict[str, dict[str, str]], exact: bool) -> Suite:
    """One query of the information schema for all relations of a stage; `exact` refuses further columns."""
    expected = "\nunion all\n".join(
        f"select '{{{schema}}}' as table_schema, '{name}' as table_name, '{column}' as column_name, '{kind}' as kind"
        for schema, tables in relations.items()
        for name, columns in tables.items()
        for column, kind in (pair.split() for pair in columns.split(", "))
    )
    found = f"""
        select lower(table_schema) as table_schema, lower(table_name) as table_name,
            lower(column_name) as column_name, {_FAMILY} as kind
        from information_schema.columns
        where lower(table_schema) in ({", ".join(f"'{{{schema}}}'" for schema in relations)})
    """
    name = "coalesce(e.table_schema, f.table_schema) || '.' || coalesce(e.table_name, f.table_name)"
    known = "select table_schema || '.' || table_name from expected"
    unknown = f"or (e.kind is null and f.table_schema || '.' || f.table_name in ({known}))"
    differ = f"""
        select
            {name} || ': ' || coalesce(e.column_name, f.column_name) || ' is ' || coalesce(f.kind, 'missing')
            || case when e.kind is null then ', which nobody expects' else ' instead of ' || e.kind end as subject,
            1 as observed, 1 as weight
        from expected as e
        full outer join found as f
            on e.table_schema = f.table_schema and e.table_name = f.table_name and e.column_name = f.column_name
        where (e.kind is not null and f.kind is null) or e.kind != f.kind {unknown if exact else ""}
        order by subject
        limit 20
    """
    return Suite(
        relation="information_schema.columns",
        about=" and ".join(relations),
        stage=stage,  # type: ignore[arg-type]
        ctes=(("expected", expected), ("found", found)),
        measures=(
            Measure(
                name="columns_and_types",
                title="Columns and their types are those that readers rely on",
                sql=differ,
                error=NONE,
                accepts=False,
                why="The contract of the relation; a mart may have more columns, raw and staging may not.",
            ),
        ),
    )


SUITES = (
    _suite("raw", {"raw": RAW}, exact=True),
    _suite("marts", {"staging": STAGING}, exact=True),
    _suite("marts", {"marts": MARTS, "snapshots": SNAPSHOTS}, exact=False),
)
