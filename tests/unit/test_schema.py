"""The one list of tables, and what says the same elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ingest.schema import TABLES, Column, Table

SOURCES = Path(__file__).parents[2] / "transform" / "models" / "staging" / "__sources.yml"
LINEAGE = [("_batch", "integer"), ("_part", "integer"), ("_row", "bigint")]


def test_dbts_sources_have_the_columns_types_and_keys_of_the_schema() -> None:
    raw = next(source for source in yaml.safe_load(SOURCES.read_text())["sources"] if source["name"] == "raw")
    described = {table["name"]: table for table in raw["tables"] if "config" in table and "meta" in table["config"]}
    assert list(described) == list(TABLES)
    for name, table in TABLES.items():
        columns = [(column["name"], column["data_type"]) for column in described[name]["columns"]]
        assert columns == [*((column.name, column.type) for column in table.columns), *LINEAGE]
        meta = described[name]["config"]["meta"]
        assert (meta["key"], meta.get("event_time")) == (list(table.key), table.event_time)
        assert meta.get("required", False) == table.required


@pytest.mark.parametrize(("event_time", "why"), [("day", "is of kind text"), ("dya", "is not one of its columns")])
def test_an_event_time_that_is_no_timestamp_is_refused_by_name(event_time: str, why: str) -> None:
    columns = (Column("saleId", "sale_id", "id"), Column("day", "day", "text"))
    with pytest.raises(ValueError, match=f"table sales: its event time {event_time} {why}"):
        Table("sales", "sales.csv", columns, key=("sale_id",), event_time=event_time)
