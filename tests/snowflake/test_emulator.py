"""The emulator does what Snowflake does where the project relies on it, and tells when a shim is no longer needed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fakesnow", reason="the emulator has an environment of its own")

import fakesnow.arrow
import fakesnow.server
import requests
import snowflake.connector
import zstandard
from snowflake.connector.errors import DatabaseError, ProgrammingError

from ingest.settings import Settings
from ingest.store.embedded import object_store
from profiles import emulator

FORMAT = """create or replace file format raw.csv_zst type = csv compression = zstd skip_header = 1
    field_optionally_enclosed_by = '"' escape = none escape_unenclosed_field = none null_if = ()
    empty_field_as_null = true replace_invalid_characters = false error_on_column_count_mismatch = true
    trim_space = false encoding = 'UTF8'"""
STAGE = "create stage if not exists raw.landing url = 's3://movielens/' file_format = (format_name = raw.csv_zst)"
COPY = """copy into raw.ratings (user_id, rating, note, batch, file, row_number) from (
    select $1::int, $2::number(2, 1), $3, '000001', metadata$filename, metadata$file_row_number from @raw.landing
) files = ({files}) file_format = (format_name = raw.csv_zst) force = true on_error = abort_statement"""
Session = Callable[..., Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("emulator")
    settings = Settings(MOVIELENS_DATA_DIR=folder)
    with object_store(settings, embedded=True) as store:
        credentials = store.credentials()
        for number, rows in enumerate(('1,3.5,\n2,4.0,"a \\ ""quoted"", é"\n', "3,0.5,007\n", "4,bad,x\n")):
            body = zstandard.compress(f"userId,rating,note\n{rows}".encode())
            store.put(f"sample/000001/ratings/part-{number:05d}.csv.zst", body)
        environment = {
            "S3_ENDPOINT_URL": str(store.endpoint_url),
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        }
        with emulator.running(folder, environment, timezone="America/New_York") as found:
            yield found


@pytest.fixture
def session(server: dict[str, str]) -> Iterator[Session]:
    connection = connect(server)
    cursor = connection.cursor()
    run = lambda sql: cursor.execute(sql).fetchall()  # noqa: E731
    run("drop schema if exists raw")
    run("create schema raw")
    run(FORMAT)
    run(STAGE)
    run("""create table raw.ratings (user_id int, rating number(2, 1), note varchar, batch varchar, file varchar,
        row_number int)""")
    yield run
    connection.close()


def connect(server: dict[str, str], **options: Any) -> Any:
    return snowflake.connector.connect(
        account=server["SNOWFLAKE_ACCOUNT"],
        user=server["SNOWFLAKE_USER"],
        password=server["SNOWFLAKE_PASSWORD"],
        host=server["SNOWFLAKE_HOST"],
        port=int(server["SNOWFLAKE_PORT"]),
        protocol=server["SNOWFLAKE_PROTOCOL"],
        database=server["SNOWFLAKE_DATABASE"],
        **options,
    )


def parts(*numbers: int) -> str:
    return COPY.format(files=", ".join(f"'sample/000001/ratings/part-{number:05d}.csv.zst'" for number in numbers))


def test_a_copy_types_its_columns_and_names_file_and_row_in_file_order(session: Session) -> None:
    assert [row[:2] + row[3:4] for row in session(parts(0, 1))] == [
        ("sample/000001/ratings/part-00000.csv.zst", "LOADED", 2),
        ("sample/000001/ratings/part-00001.csv.zst", "LOADED", 1),
    ]
    rows = session("select user_id, rating::varchar, note, batch, file, row_number from raw.ratings order by 1")
    assert rows == [
        (1, "3.5", None, "000001", "sample/000001/ratings/part-00000.csv.zst", 1),
        (2, "4.0", 'a \\ "quoted", é', "000001", "sample/000001/ratings/part-00000.csv.zst", 2),
        (3, "0.5", "007", "000001", "sample/000001/ratings/part-00001.csv.zst", 1),
    ]


def test_a_staged_file_is_queried_like_it_is_copied(session: Session) -> None:
    staged = "from @raw.landing/sample/000001/ratings/part-00000.csv.zst (file_format => 'raw.csv_zst')"
    assert session(f"select min(metadata$file_row_number), max($1::int), count(*) {staged}") == [(1, 2, 2)]
    assert session(f"select max($3), max(metadata$filename) {staged}") == [
        ('a \\ "quoted", é', "sample/000001/ratings/part-00000.csv.zst")
    ]
    with pytest.raises(ProgrammingError, match="where"):
        session(f"select $1 {staged} where $1 = '2'")


def test_a_copy_that_fails_on_its_second_file_loads_nothing(session: Session) -> None:
    with pytest.raises(ProgrammingError, match="bad"):
        session(parts(0, 2))
    assert session("select count(*) from raw.ratings") == [(0,)]


def test_a_failed_copy_takes_the_transaction_with_it(session: Session) -> None:
    session("insert into raw.ratings (user_id) values (9)")
    session("begin")
    session("delete from raw.ratings")
    session(parts(0))
    with pytest.raises(ProgrammingError, match="bad"):
        session(parts(2))
    session("rollback")
    assert session("select user_id from raw.ratings") == [(9,)]


def test_a_load_transaction_commits_as_one(server: dict[str, str], session: Session) -> None:
    other = connect(server).cursor()
    session("begin")
    session("delete from raw.ratings")
    session(parts(0, 1))
    assert other.execute("select count(*) from raw.ratings").fetchall() == [(0,)]
    session("commit")
    assert other.execute("select count(*) from raw.ratings").fetchall() == [(3,)]


@pytest.mark.parametrize(
    ("clause", "replacement"),
    [
        ("escape_unenclosed_field = none", "escape_unenclosed_field = '\\\\'"),
        ("null_if = ()", "null_if = ('NULL')"),
        ("trim_space = false", "trim_space = true"),
        ("empty_field_as_null = true", "empty_field_as_null = false"),
    ],
)
def test_a_file_format_that_would_read_otherwise_is_refused(session: Session, clause: str, replacement: str) -> None:
    assert clause in FORMAT
    session(FORMAT.replace(clause, replacement))
    with pytest.raises(ProgrammingError, match="file format option"):
        session(parts(0))


def test_a_part_that_is_not_in_the_store_is_an_error(session: Session) -> None:
    with pytest.raises(ProgrammingError, match="part-00009"):
        session(parts(9))


def test_ddl_commits_the_open_transaction(session: Session) -> None:
    session("begin")
    session("insert into raw.ratings (user_id) values (1)")
    session("create or replace temporary table raw.scratch (a int)")
    session("rollback")
    assert session("select count(*) from raw.ratings") == [(1,)]


def test_a_merge_updates_and_inserts_and_refuses_two_source_rows_for_one(session: Session) -> None:
    session("insert into raw.ratings (user_id, note) values (1, 'old')")
    merge = """merge into raw.ratings t using (select column1 as user_id, column2 as note from values {rows}) as s
        on t.user_id = s.user_id
        when matched then update set note = s.note
        when not matched then insert (user_id, note) values (user_id, note)"""
    session(merge.format(rows="(1, 'new'), (2, 'two')"))
    assert session("select user_id, note from raw.ratings order by 1") == [(1, "new"), (2, "two")]
    with pytest.raises(ProgrammingError, match="more than once"):
        session(merge.format(rows="(1, 'a'), (1, 'b')"))


def test_a_temporary_table_lasts_as_long_as_its_session(server: dict[str, str], session: Session) -> None:
    other = connect(server)
    other.cursor().execute("create temporary table movielens.raw.mine as select 1 as a")
    assert other.cursor().execute("select a from raw.mine").fetchall() == [(1,)]
    other.close()
    with pytest.raises(ProgrammingError, match="MINE"):
        session("select a from raw.mine")


def test_a_wrong_password_is_refused(server: dict[str, str]) -> None:
    with pytest.raises(DatabaseError, match="Incorrect username or password"):
        connect({**server, "SNOWFLAKE_PASSWORD": "wrong"}, login_timeout=5)


@pytest.mark.parametrize("headers", [{}, {"Host": "page.attacker.example", "Origin": "https://attacker.example"}])
@pytest.mark.parametrize("password", [None, "", "emulator", True, 0, {}, ["x"]])
def test_no_path_of_it_answers_whoever_lacks_the_password(
    server: dict[str, str], password: object, headers: dict[str, str]
) -> None:
    address = f"http://{server['SNOWFLAKE_HOST']}:{server['SNOWFLAKE_PORT']}"
    given = {} if password is None else {"PASSWORD": password}
    asked = {"data": {**given, "LOGIN_NAME": "EMULATOR", "SESSION_PARAMETERS": {"FAKESNOW_DB_PATH": "/tmp"}}}
    login = requests.post(f"{address}/session/v1/login-request", json=asked, headers=headers, timeout=10)
    assert not login.json()["success"] and not login.json()["data"]
    sql = {"sqlText": "copy (select 1) to '/tmp/planted.csv'", "SESSION_PARAMETERS": {}}
    for route in fakesnow.server.routes:
        path = route.path.replace("{sfqid}", "x").replace("{path:path}", "planted")
        for method, token in product(route.methods, ("", 'Snowflake Token="None"', f'Snowflake Token="{password}"')):
            with_token = {**headers, "Authorization": token} if token else headers
            answer = requests.request(method, address + path, json=sql, headers=with_token, timeout=10)
            aborted = path == "/queries/v1/abort-request"  # does nothing, and says so to everybody
            assert aborted or answer.status_code >= 400 or not answer.json()["success"], (method, path, answer.text)


def test_a_session_parameter_sets_the_zone_of_a_login(server: dict[str, str]) -> None:
    cursor = connect(server, session_parameters={"TIMEZONE": "Asia/Tokyo"}).cursor()
    query = "select datediff('hour', sysdate(), current_timestamp()::timestamp_ntz) as hours"
    assert cursor.execute(query).fetchall() == [(9,)]


def test_a_null_timestamp_stays_null_and_seconds_mean_utc_in_any_zone(session: Session) -> None:
    rows = session("""select to_timestamp_ntz(column1) as t from values (1000000000::bigint), (null) order by t""")
    assert rows == [(datetime(2001, 9, 9, 1, 46, 40),), (None,)]


def test_current_timestamp_follows_the_session_zone_until_it_is_converted(session: Session) -> None:
    query = """select datediff('hour', sysdate(), current_timestamp()::timestamp_ntz) as local,
        datediff('minute', sysdate(), convert_timezone('UTC', current_timestamp())::timestamp_ntz) as converted"""
    assert session(query) in ([(-4, 0)], [(-5, 0)])
    session("alter session set timezone = 'Asia/Tokyo'")
    assert session(query) == [(9, 0)]


def test_hexadecimal_text_and_date_formats_are_read(session: Session) -> None:
    assert session("select to_number('fffffffffffffff', 'XXXXXXXXXXXXXXX')") == [(16**15 - 1,)]
    dates = "from (select '2020-02-03 04:05:06'::timestamp_ntz as day)"
    assert session(f"select to_char(day, 'YYYYMMDD'), to_char(day, 'YYYY-MM-DD HH24:MI:SS') {dates}") == [
        ("20200203", "2020-02-03 04:05:06")
    ]
    assert session("select to_timestamp_ltz(t) = to_timestamp_ltz(t) from (select 5::bigint as t)") == [(True,)]


def test_a_role_may_do_what_it_was_granted_and_nothing_else(server: dict[str, str], session: Session) -> None:
    session("insert into raw.ratings (user_id) values (1)")
    session("grant select, insert on all tables in schema movielens.raw to role clerk")
    clerk = connect(server, role="clerk").cursor()
    for kind in ("schema movielens.raw", "database movielens"):
        with pytest.raises(ProgrammingError, match="CLERK lacks usage"):
            clerk.execute("select user_id from movielens.raw.ratings")
        session(f"grant usage on {kind} to role clerk")
    clerk.execute("insert into movielens.raw.ratings (user_id) select user_id + 1 from movielens.raw.ratings")
    with pytest.raises(ProgrammingError, match="CLERK lacks delete"):
        clerk.execute("delete from movielens.raw.ratings")
    with pytest.raises(ProgrammingError, match="CLERK lacks create table"):
        clerk.execute("create table movielens.raw.others (a int)")
    assert session("select count(*) from raw.ratings") == [(2,)]


def test_the_text_of_an_instant_has_milliseconds_and_so_hides_a_microsecond(session: Session) -> None:
    instants = "select column1::timestamp_ntz as t from values ('2020-01-02 03:04:05.000001'), ('2020-01-02 03:04:05')"
    rows = session(f"select cast(t as varchar), t::varchar || '!', count(*) over () from ({instants})")
    assert set(rows) == {("2020-01-02 03:04:05.000", "2020-01-02 03:04:05.000!", 2)}
    assert session("select cast(1.5 as varchar), 'x'::varchar, cast(null as varchar)") == [("1.5", "x", None)]


def test_a_fault_of_the_emulator_is_an_error_and_not_a_retry(session: Session) -> None:
    with pytest.raises(ProgrammingError, match="emulator"):
        session("select interval '1 day'")
    assert session("select 1") == [(1,)]


def test_the_server_ends_with_its_parent(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "profiles.emulator", "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        assert b"port" in server.stdout.readline()
        server.stdin.close()
        assert server.wait(20) == 0


def test_a_schema_is_cloned_and_swapped_with_its_tables_and_their_types(session: Session) -> None:
    for schema in ("shown", "build_shown"):
        session(f"drop schema if exists {schema}")
    session("create schema shown")
    session("create table shown.t (a varchar(7) not null, b number(2, 1))")
    session("insert into shown.t values ('old', 3.5)")
    session("create schema build_shown clone shown")
    session("update build_shown.t set a = 'new'")
    session("create table build_shown.added (c int)")
    assert session("select a from shown.t") == [("old",)]
    session("alter schema shown swap with build_shown")
    assert session("select * from shown.t") == [("new", Decimal("3.5"))]
    assert session("select count(*) from shown.added") == [(0,)]
    assert session("select a from build_shown.t") == [("old",)]
    lengths = (
        "select character_maximum_length from information_schema.columns where table_name = 'T' and column_name = 'A'"
    )
    assert set(session(lengths)) == {(7,)}
    with pytest.raises(ProgrammingError):
        session("insert into shown.t values (null, 1)")
