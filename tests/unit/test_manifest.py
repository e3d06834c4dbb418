"""Manifests: what the present format says, and that batches of the former one are read as what they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ingest.batches.committed import read
from ingest.errors import BatchError
from ingest.manifest import FORMAT_VERSION, Manifest
from ingest.schema import TABLES

# As commit 819e4d8 landed it: six files less the genome, one rejected line.
FORMAT_1 = Path(__file__).with_name("manifest_of_format_1.json").read_text()


class OneManifest:
    """A store with this content under every key."""

    def __init__(self, content: str) -> None:
        self.content = content.encode()

    def get(self, key: str) -> bytes:
        return self.content

    def address(self, key: str) -> str:
        return f"s3://bucket/{key}"


def golden() -> Manifest:
    return Manifest.model_validate_json(FORMAT_1)


def test_a_manifest_of_format_1_says_the_same_in_format_2() -> None:
    manifest, old = golden(), json.loads(FORMAT_1)
    new = manifest.model_dump(mode="json")
    assert manifest.format_version == FORMAT_VERSION == 2
    assert {name: new[name] for name in old if name not in ("format_version", "tables")} == {
        name: old[name] for name in old if name not in ("format_version", "tables")
    }
    for name, table in old["tables"].items():
        assert {field: new["tables"][name][field] for field in table if field != "columns"} == {
            field: table[field] for field in table if field != "columns"
        }
        assert [column["source"] for column in new["tables"][name]["columns"]] == table["columns"]
        assert new["tables"][name]["form"] is None


def test_a_manifest_describes_each_table_in_full() -> None:
    ratings = golden().model_dump(mode="json")["tables"]["ratings"]
    assert ratings["columns"] == [
        {"source": "userId", "name": "user_id", "type": "integer"},
        {"source": "movieId", "name": "movie_id", "type": "integer"},
        {"source": "rating", "name": "rating", "type": "decimal(2, 1)"},
        {"source": "timestamp", "name": "timestamp", "type": "bigint"},
    ]
    assert (ratings["key"], ratings["event_time"]) == (["user_id", "movie_id"], "timestamp")


def test_keys_and_event_times_are_columns_of_their_table() -> None:
    for table in TABLES.values():
        names = [column.name for column in table.columns]
        assert set(table.key) <= set(names)
        assert table.event_time is None or table.event_time in names


def test_a_manifest_of_format_1_that_was_altered_is_refused() -> None:
    with pytest.raises(ValidationError, match="not that of its sha256"):
        Manifest.model_validate_json(FORMAT_1.replace('"first_line": 2', '"first_line": 3', 1))


@pytest.mark.parametrize("version", [3, 4, 99, 10**30])
def test_a_newer_format_is_recognised_whatever_else_it_says(version: int) -> None:
    newer = json.dumps({"format_version": version, "sha256": "of another kind", "tables": [1, 2]})
    with pytest.raises(
        BatchError, match=rf"newer version of this program \(format {version}.*use that version"
    ) as said:
        read(OneManifest(newer), "golden", "000001")  # type: ignore[arg-type]
    assert "delete" not in str(said.value)


@pytest.mark.parametrize("version", [0, -1, None, "3", 2.5, True, [3]])
def test_what_is_no_format_is_an_altered_manifest(version: object) -> None:
    content = json.dumps(json.loads(FORMAT_1) | {"format_version": version, "sha256": None})
    with pytest.raises(BatchError, match="not a valid manifest") as said:
        read(OneManifest(content), "golden", "000001")  # type: ignore[arg-type]
    assert "delete" not in str(said.value)


def changed(**fields: Any) -> str:
    """A manifest of the present format, with other values in the table of ratings, and no seal."""
    whole = golden().model_copy(update={"sha256": None}).model_dump(mode="json")
    whole["tables"]["ratings"] |= fields
    return json.dumps(whole)


@pytest.mark.parametrize(
    "fields",
    [
        {"columns": []},
        {"columns": [{"source": "userId", "name": "user_id", "type": "integer); drop table x"}]},
        {"columns": [{"source": "userId", "name": "user_id; --", "type": "integer"}]},
        {"key": []},
        {"key": ["movie_id", "user_id"]},
        {"key": ["nothing"]},
        {"event_time": None},
        {"event_time": "rating"},
        {"source_file": "../ratings.csv"},
        {"source_file": "ratings.csv'"},
        {"form": "it's"},
    ],
)
def test_a_manifest_that_describes_another_table_is_refused(fields: dict[str, Any]) -> None:
    Manifest.model_validate_json(changed())
    with pytest.raises(ValidationError):
        Manifest.model_validate_json(changed(**fields))


def test_a_manifest_without_tables_is_refused() -> None:
    whole = golden().model_copy(update={"sha256": None}).model_dump(mode="json")
    with pytest.raises(ValidationError, match="at least 1 item"):
        Manifest.model_validate_json(json.dumps(whole | {"tables": {}}))


@pytest.mark.parametrize("format_1", [True, False])
@pytest.mark.parametrize("newer", ["genres", "title"])
def test_a_batch_from_before_a_column_was_added_is_read_without_it(format_1: bool, newer: str) -> None:
    content = json.loads(FORMAT_1 if format_1 else golden().model_copy(update={"sha256": None}).model_dump_json())
    columns = content["tables"]["movies"]["columns"]
    named = [column if format_1 else column["source"] for column in columns]
    content["tables"]["movies"]["columns"] = [one for one, name in zip(columns, named, strict=True) if name != newer]
    manifest = Manifest.model_validate_json(json.dumps(content | {"sha256": None}))
    read_as = [column["source"] for column in manifest.tables["movies"].columns]
    assert read_as == [name for name in named if name != newer]


@pytest.mark.parametrize("format_1", [True, False])
@pytest.mark.parametrize("gone", ["movieId", "timestamp", "rating"])
def test_a_batch_with_a_table_that_is_listed_otherwise_names_the_list(format_1: bool, gone: str) -> None:
    content = json.loads(FORMAT_1 if format_1 else golden().model_copy(update={"sha256": None}).model_dump_json())
    columns = content["tables"]["ratings"]["columns"]
    place = [column if format_1 else column["source"] for column in columns].index(gone)
    columns[place] = "other" if format_1 else {"source": "other", "name": "other", "type": "integer"}
    with pytest.raises(BatchError, match=r"ingest/schema.py does not list \(ratings: .*use the version") as said:
        read(OneManifest(json.dumps(content | {"sha256": None})), "golden", "000001")  # type: ignore[arg-type]
    assert "--withdraw 000001" in str(said.value)
