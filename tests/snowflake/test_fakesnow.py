"""What plain fakesnow still gets wrong: a failure here is good news, and a shim of the emulator can go."""

from __future__ import annotations

import pytest

pytest.importorskip("fakesnow", reason="the emulator has an environment of its own")

import duckdb
import fakesnow.arrow
import pyarrow as pa
from fakesnow.instance import FakeSnow
from snowflake.connector.errors import ProgrammingError

from tests.snowflake.test_emulator import COPY, FORMAT, STAGE

# One row for each shim.
PLAIN = {
    "qualified temporary tables": "create temporary table movielens.raw.t as select 1 as a",
    "merge inside a transaction": """merge into raw.rows t using (select 1 as id) s on t.id = s.id
        when matched then update set id = s.id""",
    "hexadecimal numbers": "select to_number('ff', 'XX')",
    "to_timestamp_ltz of a column": "select to_timestamp_ltz(id) from raw.rows",
    "alter session set timezone": "alter session set timezone = 'UTC'",
    "alter session set query_tag": "alter session set query_tag = 'x'",
    "copy transformations from zstd files": COPY.format(files="'x'"),
    "queries of a stage": "select min(metadata$file_row_number) from @raw.landing/x (file_format => 'raw.csv_zst')",
    "warehouses": "create warehouse w",
    "grants on future tables": "grant select on future tables in schema raw to role r",
}


@pytest.mark.parametrize("what", PLAIN)
def test_plain_fakesnow_still_needs_the_shim_for(what: str) -> None:
    cursor = FakeSnow().connect("movielens", "raw").cursor()
    for statement in ("create table raw.rows (id int)", FORMAT, STAGE):
        cursor.execute(statement)
    cursor.execute("begin")
    cursor.execute("insert into raw.rows values (1)")
    with pytest.raises((ProgrammingError, duckdb.Error, NotImplementedError)):
        cursor.execute(PLAIN[what])


def test_plain_fakesnow_still_loses_null_timestamps_and_date_formats() -> None:
    assert fakesnow.arrow.timestamp_to_sf_struct(pa.array([None], pa.timestamp("us"))).is_valid().to_pylist() == [True]
    cursor = FakeSnow().connect("movielens", "raw").cursor()
    cursor.execute("select to_char(d, 'YYYYMMDD') from (select '2020-01-02'::date as d)")
    assert cursor.fetchall() == [("2020-01-02",)]


def test_plain_fakesnow_still_keeps_a_transaction_open_over_ddl() -> None:
    cursor = FakeSnow().connect("movielens", "raw").cursor()
    cursor.execute("create table raw.rows (id int)")
    for statement in (
        "begin",
        "insert into raw.rows values (1)",
        "create table raw.other (id int)",
        "rollback",
    ):
        cursor.execute(statement)
    assert cursor.execute("select count(*) from raw.rows").fetchall() == [(0,)]
