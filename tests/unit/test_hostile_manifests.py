"""A manifest cannot say what it likes: anything else in its place is one clear error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ingest.batches.committed import read
from ingest.errors import BatchError
from ingest.manifest import Manifest, Source, schema_of
from ingest.schema import TABLES

MOVIES = TABLES["movies"]
PART = "sample/000001/movies/part-00000.csv.zst"


def manifest() -> dict[str, Any]:
    """A manifest that is valid."""
    part = {"key": PART, "rows": 1, "first_line": 2, "bytes": 10, "sha256": "0" * 64}
    table = {
        "mode": "full",
        **json.loads(json.dumps(schema_of(MOVIES))),
        "source_file": MOVIES.file,
        "source_sha256": "0" * 64,
        "rows_read": 1,
        "rows_rejected": 0,
        "parts": [part],
    }
    return {
        "format_version": 2,
        "dataset": "sample",
        "batch_id": "000001",
        "as_of": "2020-01-01T00:00:00Z",
        "source": {"name": "sample"},
        "tables": {"movies": table},
    }


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """That manifest with another value somewhere."""
    whole: Any = manifest()
    inner = whole
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return dict(whole)


INJECTIONS = (
    "'); drop table raw.movies; --",
    "../../etc/passwd",
    "x'y",
    "{{ env_var('HOME') }}",
    "a\nb",
    "",
    "é",
    None,
)
PLACES: dict[str, tuple[str | int, ...]] = {
    "data set": ("dataset",),
    "batch": ("batch_id",),
    "date": ("as_of",),
    "mode": ("tables", "movies", "mode"),
    "column": ("tables", "movies", "columns", 1, "name"),
    "type": ("tables", "movies", "columns", 1, "type"),
    "key column": ("tables", "movies", "key", 0),
    "file": ("tables", "movies", "source_file"),
    "digest": ("tables", "movies", "parts", 0, "sha256"),
    "key": ("tables", "movies", "parts", 0, "key"),
    "rows": ("tables", "movies", "parts", 0, "rows"),
    "table": ("tables", "movies'; drop table raw.movies; --"),
    "an unknown field": ("surprise",),
}


def test_the_manifest_of_these_tests_is_valid() -> None:
    assert Manifest.model_validate(manifest()).key == "sample/000001/manifest.json"


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("hostile", INJECTIONS)
def test_no_manifest_brings_sql_or_a_path_of_its_own(place: str, hostile: Any) -> None:
    with pytest.raises(ValidationError):
        Manifest.model_validate_json(json.dumps(changed(PLACES[place], hostile)))


@pytest.mark.parametrize(
    "key",
    [
        "sample/000001/movies/../../../other/part-00000.csv.zst",
        "sample/000002/movies/part-00000.csv.zst",
        "other/000001/movies/part-00000.csv.zst",
        "sample/000001/ratings/part-00000.csv.zst",
        f"/{PART}",
        f"{PART}?versionId=1",
        f"{PART}\n",
        PART.replace("00000", "0000*"),
        PART.replace("00000", "٠٠٠٠٠"),
    ],
)
def test_a_part_lies_under_its_own_batch_and_table(key: str) -> None:
    with pytest.raises(ValidationError):
        Manifest.model_validate(changed(PLACES["key"], key))


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_date_that_utc_does_not_have_is_no_date(instant: str) -> None:
    with pytest.raises(ValidationError, match="outside the years"):
        Manifest.model_validate(changed(PLACES["date"], instant))


def test_the_name_of_a_folder_that_is_no_text_can_be_read_back() -> None:
    source = Source(name="caf\udce9")
    assert Source.model_validate_json(source.model_dump_json()) == source


class OneObject:
    """A store with the same content under every key."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def get(self, key: str) -> bytes:
        return self.content

    def address(self, key: str) -> str:
        return f"s3://bucket/{key}"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
VALID = json.dumps(manifest()).encode()


@st.composite
def damaged_bytes(draw: st.DrawFn) -> bytes:
    """A valid manifest with some bytes cut out and others put in."""
    start = draw(st.integers(0, len(VALID)))
    end = draw(st.integers(start, min(len(VALID), start + 40)))
    return VALID[:start] + draw(st.binary(max_size=20)) + VALID[end:]


@st.composite
def damaged_values(draw: st.DrawFn) -> bytes:
    """A manifest with any value in any place."""
    return json.dumps(changed(draw(st.sampled_from(sorted(PLACES.values(), key=str))), draw(json_values))).encode()


@given(
    st.binary(max_size=200)
    | damaged_bytes()
    | damaged_values()
    | json_values.map(lambda value: json.dumps(value).encode())
)
@hypothesis_settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_in_a_manifests_place_are_a_manifest_or_one_clear_error(content: bytes) -> None:
    try:
        found = read(OneObject(content), "sample", "000001")  # type: ignore[arg-type]
    except BatchError as error:
        assert "s3://bucket/sample/000001/manifest.json" in str(error)  # noqa: PT017
    else:
        assert found is not None
        assert found.key == "sample/000001/manifest.json"
        assert all(part.key.startswith("sample/000001/") for table in found.tables.values() for part in table.parts)
