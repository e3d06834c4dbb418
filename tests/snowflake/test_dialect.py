"""The static check catches what is planted, and passes what Snowflake documents."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sqlglot", reason="the static check has its parser in the emulator's environment")

from tests.snowflake.dialect import FUNCTIONS, check, check_files
from tests.snowflake.rules import RULES

PLANTED = {
    "function": [
        "select strptime(a, '%Y-%m-%d') from t",
        "select strftime(a, '%Y') from t",
        "select epoch(a), epoch_ms(a) from t",
        "select unnest(string_split(a, '|')) from t",
        "select list_aggregate(a, 'sum') from t",
        "select list_transform(a, x -> x + 1) from t",
        "select nfc_normalize(a) from t",
        "select regexp_matches(a, 'x'), regexp_extract(a, 'x', 1) from t",
        "select make_timestamp(a), make_date(1, 2, 3) from t",
        "select arg_max(a, b), bool_or(c), string_agg(d, ','), quantile_cont(e, 0.5) from t",
        "select struct_pack(a := 1)",
        "select * from read_csv('x.csv')",
        "select * from generate_series(1, 10)",
        "select * from range(10)",
        "select if(a, 1, 0) from t",
        "select t.a.upper() from t",
        "select now(), today()",
        "select md5_number(a), hash_key(b) from t",
        "select isnan(a), format('{}', a), printf('%d', a), bar(a, 0, 1) from t",
    ],
    "type": [
        "select a::hugeint from t",
        "select a::ubigint from t",
        "select a::utinyint from t",
        "select a::int[] from t",
        "select a::timestamp_s from t",
        "select a::uuid from t",
        "select a::json from t",
        "select cast(a as uhugeint) from t",
    ],
    "syntax": [
        "select a from t limit 10 percent rows only foo",
        "select a from (select 1",
    ],
    "backslash": ["select regexp_substr(a, '\\d+') from t", "select 'a\\nb'"],
    "regex": ["select regexp_substr(a, 'b.*?c') from t", "select regexp_replace(a, '(?i)b', '') from t"],
    "regex-flags": ["select regexp_replace(a, 'b', 'c', 'g') from t"],
    "quoted-name": ['select "movie_id" from t', 'select a as "Title" from t'],
    "order-of-nulls": [
        "select a from t order by a desc",
        "select row_number() over (partition by a order by b desc) from t",
    ],
    "order-of-listagg": ["select listagg(a, '|') from t", "select listagg(distinct (a), '|') from t"],
    "order-of-window": ["select row_number() over (partition by a) from t", "select lag(a) over () from t"],
    "division": [
        "select a / b from t",
        "select sum(a) / count(*) from t",
        "select a % b from t",
        "select a / 0 from t",
    ],
    "now": [
        "select current_timestamp",
        "select current_date()",
        "select getdate()",
        "select current_timestamp::timestamp_ntz",
    ],
    "week": [
        "select dayofweek(a) from t",
        "select date_trunc('week', a) from t",
        "select date_part(week, a) from t",
        "select extract(dow from a) from t",
        "select datediff('week', a, b) from t",
        "select weekofyear(a) from t",
    ],
    "timestamp": ["select a::timestamp from t", "select cast(a as timestamp) from t"],
    "epoch": ["select date_part('epoch', a) from t", "select extract(epoch from a) from t"],
    "array": ["select [1, 2]", "select split(a, '|')[1] from t"],
    "struct": ["select {'a': 1}"],
    "lambda": ["select list_filter(a, x -> x > 1) from t", "select my_function(a, (x, y) -> x + y) from t"],
    "aggregate-filter": [
        "select count(*) filter (where a > 1) from t",
        "select sum(a) filter (where b) from t",
    ],
    "distinct-on": ["select distinct on (a) a, b from t"],
    "time-zone": ["select a at time zone 'UTC' from t"],
    "integer-division": ["select a // b from t", "select a//2 as half from t"],
    "interval": ["select a + interval 1 day from t"],
    "limit": ["select a from t limit 10%", "select a from t limit 10 percent"],
    "operator": [
        "select a from t where a == 1",
        "select a ** 2 from t",
        "select a from t where a ~ 'x'",
        "select a from t where a !~ 'x'",
        "select a from t where a ^@ 'x'",
        "select a & b from t",
        "select a << 2 from t",
        "select a ->> '$.b' from t",
        "select a from t where a glob 'x*'",
        "select a from t where a similar to 'x'",
    ],
    "join": [
        "select a from t semi join u using (a)",
        "select a from t anti join u on t.a = u.a",
        "select 1 from t positional join u",
    ],
    "from-first": ["from t", "select a from (from t where b)"],
    "columns": ["select columns('a.*') from t", "select max(columns(*)) from t"],
    "sample": ["select a from t using sample 10"],
    "upsert": [
        "insert into t values (1) on conflict do nothing",
        "insert or replace into t values (1)",
        "delete from t returning a",
    ],
    "statement": [
        "pragma threads = 4",
        "attach 'x.db' as x",
        "install httpfs",
        "create macro f(a) as a + 1",
        "summarize t",
    ],
    "number": ["select 1_000_000"],
    "ordinality": ["select * from flatten(input => a) with ordinality"],
}

GOOD = [
    "select movie_id, title from marts.dim_movies order by movie_id",
    "with source (a, b) as (select 1, 2), renamed as (select a as id from source) select * from renamed",
    "select a from t qualify row_number() over (partition by a order by b desc nulls last, c) = 1",
    "select listagg(distinct genre, '|') within group (order by genre) from t",
    "select t.id, f.value::varchar as genre, f.index from t, lateral flatten(input => split(t.genres, '|')) as f",
    "select to_number(left(md5(tag), 15), 'XXXXXXXXXXXXXXX') as tag_id from t",
    "select regexp_substr(title, '[(]([0-9]{4})[)]$', 1, 1, 'e', 1), regexp_replace(a, '[[:space:]]+', ' ') from t",
    "select regexp_substr(title, $$\\d{4}$$) from t",
    "select dateadd(day, row_number() over (order by seq4()), '1995-01-01'::date) from table(generator(rowcount => 9))",
    "select date_trunc('month', rated_at)::date as month, round(avg(a), 4), count_if(a > 4) from t group by all",
    "select a / nullif(b, 0), a / 2, a / cast(nullif(b, 0) as double), mod(a, 7) from t",
    "select sysdate(), convert_timezone('UTC', current_timestamp())::timestamp_ntz",
    "select dayofweekiso(d), weekiso(d), yearofweekiso(d), dayname(d), extract(year from d) from t",
    "select * exclude (a) rename (b as c) from t",
    "select iff(a, 1, 0), nvl(a, b), zeroifnull(c), equal_null(a, b), a is distinct from b, div0(a, b) from t",
    "select try_cast(a as number(2, 1)), cast(b as varchar), c::decimal(38, 0), d::datetime, e::timestamp_ntz from t",
    "merge into a.b using (select 1 as id) as s on b.id = s.id when matched then update set x = s.id "
    "when not matched then insert (id) values (s.id)",
    "insert into raw.load_ledger (batch_id, rows_read) select '000001', count(*) from raw.ratings",
    "create table if not exists raw.ratings (user_id integer, rating decimal(2, 1), _file varchar)",
    "create or replace transient table a.b (id int, name varchar) as (select 1, 'x')",
    "copy into raw.ratings (user_id, _row) from (select $1::int, metadata$file_row_number from @raw.landing) "
    "files = ('a.csv.zst') file_format = (format_name = raw.csv_zst) force = true on_error = abort_statement",
    "delete from raw.ratings where _batch = 1",
    "select column1 as a from values (1), (2)",
    "select a from (values (1), (2)) as t (a)",
    "select parse_json(a):b::int, filter(c, x -> x > 1) from t",
    "select sum(a) over (partition by b order by c rows between unbounded preceding and current row) from t",
    "select 'it''s // no comment == at all' as a -- and // neither is [1, 2] here",
    "begin; commit; rollback; alter session set query_tag = 'x'; show parameters like 'query_tag' in session",
    "select a from t1 inner join t2 using (a) left join t3 on t1.a = t3.a where exists (select 1 from u) and b in (1)",
    "with recursive d as (select 1 as n union all select n + 1 from d where n < 5) select n from d",
]


@pytest.mark.parametrize(("rule", "sql"), [(rule, sql) for rule, statements in PLANTED.items() for sql in statements])
def test_what_is_planted_is_caught(rule: str, sql: str) -> None:
    assert rule in {found.rule for found in check(sql)}


@pytest.mark.parametrize("sql", GOOD)
def test_snowflake_s_own_sql_passes(sql: str) -> None:
    assert [str(found) for found in check(sql)] == []


def test_every_rule_is_planted_and_has_a_reason_and_a_cure() -> None:
    assert set(PLANTED) == set(RULES)
    assert all(rule.reason and rule.cure for rule in RULES.values())


def test_a_finding_names_its_file_its_line_and_a_cure(tmp_path: Path) -> None:
    model = tmp_path / "model.sql"
    model.write_text("select\n    a,\n    strptime(b, '%Y') as c\nfrom t\n")
    (found,) = check_files([model])
    assert str(found).startswith(f"{model}:3: [function] strptime(): Snowflake has no such function")


def test_every_planted_function_is_reported_and_not_the_first_alone() -> None:
    found = check("select strptime(a, 'x'), epoch(b), list_sum(c), upper(d) from t")
    assert [each.text for each in found] == ["epoch()", "list_sum()", "strptime()"] or len(found) == 3


def test_the_list_of_functions_names_its_source_and_holds_no_function_of_duckdb_alone() -> None:
    text = Path(__file__).with_name("snowflake_functions.txt").read_text()
    assert "https://docs.snowflake.com/en/sql-reference/functions-all" in text
    duckdb_alone = (
        "strptime strftime epoch unnest list_aggregate list_transform nfc_normalize regexp_extract string_agg now"
    )
    assert not FUNCTIONS & set(duckdb_alone.upper().split())


def test_the_command_fails_on_a_planted_file(tmp_path: Path) -> None:
    (tmp_path / "good.sql").write_text("select 1")
    (tmp_path / "bad.sql").write_text("select epoch(a) from t")
    command = [sys.executable, "-m", "tests.snowflake.dialect"]
    root = Path(__file__).parents[2]
    assert subprocess.run([*command, tmp_path / "good.sql"], cwd=root, check=False).returncode == 0
    assert (
        subprocess.run([*command, tmp_path / "good.sql", tmp_path / "bad.sql"], cwd=root, check=False).returncode == 1
    )
