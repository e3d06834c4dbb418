"""A batch and its manifest: the contract between landing and every reader.

A batch lives under `<dataset>/<batch_id>/`; the manifest is written last, and a batch without one does not exist.
Everything that a reader builds a query or a path from is validated here, so that a hostile manifest cannot
reach SQL.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from ingest.schema import DATASET_NAME, TABLES, Mode, Table

FORMAT_VERSION: Final = 2

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
DatasetName = Annotated[str, Field(pattern=DATASET_NAME)]
BATCH_ID = r"^[0-9]{6}$"
BatchId = Annotated[str, Field(pattern=BATCH_ID)]
Count = Annotated[int, Field(ge=0)]
NEWER, OTHER_SCHEMA = "newer_format", "other_schema"
MAX_REASON = 1000


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("the instant lies outside the years 1 to 9999") from None


def _text(name: str) -> str:
    return name.encode(errors="replace").decode()  # a file's name may hold bytes that are no text


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(_Model):
    """One object: `key` in the bucket, data `rows`, `first_line` in the source file, `bytes` and `sha256` as stored."""

    key: Annotated[str, Field(pattern=r"^[a-z0-9-]+/[0-9]{6}/[a-z][a-z0-9_]*/part-[0-9]{5}\.csv\.zst$")]
    rows: Count
    first_line: Annotated[int, Field(ge=1)]
    bytes: Count
    sha256: Sha256


class BatchTable(_Model):
    """A table in a batch; its columns, key and event time are those of `ingest.schema`, less columns that are newer.

    `mode`: `full` replaces the table's content, `delta` upserts by `key`, where the later `event_time` wins if there is
    one. `source_file` is the file it came from, `form` how that was read where it was not the CSV of the contract,
    `source_sha256` the digest of the bytes of its accepted and rejected lines (after line ends were normalised);
    `rows_read = sum of the parts' rows + rows_rejected`.
    """

    mode: Mode
    columns: tuple[dict[str, str], ...]
    key: tuple[str, ...]
    event_time: str | None = None
    source_file: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z]+(\.[A-Za-z]+)?$", max_length=63)]
    form: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9 ,-]{0,62}$")] | None = None
    source_sha256: Sha256
    rows_read: Count
    rows_rejected: Count
    parts: tuple[Part, ...]

    @model_validator(mode="after")
    def _rows_add_up(self) -> BatchTable:
        if self.rows_read != self.rows_loaded + self.rows_rejected:
            raise ValueError(
                f"{self.source_file}: {self.rows_read} rows read, but {self.rows_loaded} in parts and "
                f"{self.rows_rejected} rejected"
            )
        return self

    @property
    def rows_loaded(self) -> int:
        """The rows of its parts."""
        return sum(part.rows for part in self.parts)


class Source(_Model):
    """Where a batch came from: the archive's or folder's `name`, and the `sha256` of an archive's bytes.

    A folder has none: the `source_sha256` of its tables says all (format 1 once had one of all its files here).
    """

    name: Annotated[str, AfterValidator(_text)]
    sha256: Sha256 | None = None


class Manifest(_Model):
    """Everything a reader needs to load a batch; `as_of` is the instant the content speaks for (UTC).

    `sha256` is of the manifest's other fields, so that a change after the commit is noticed (None: written by hand, or
    by a version that did not have it). Format 1 is read as format 2 with the columns, keys and event times of then.
    """

    format_version: Literal[2] = FORMAT_VERSION
    dataset: DatasetName
    batch_id: BatchId
    as_of: Annotated[datetime, AfterValidator(_utc)]
    source: Source
    tables: Annotated[dict[str, BatchTable], Field(min_length=1)]
    rejected: tuple[Part, ...] = ()
    sha256: Sha256 | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_as_it_was_committed(cls, fields: Any, info: ValidationInfo) -> Any:
        if info.mode != "json" or not isinstance(fields, dict):
            return fields
        version = fields.get("format_version")
        if type(version) is int and version > FORMAT_VERSION:
            raise PydanticCustomError(NEWER, "format {version}", {"version": version})
        said = fields.get("sha256")
        if said and said != _sha256(fields):
            raise ValueError("its content is not that of its sha256")
        return _upgraded(fields) if type(version) is int and version == 1 else fields

    @model_validator(mode="after")
    def _names_are_known(self) -> Manifest:
        prefix = f"{self.dataset}/{self.batch_id}/"
        for name, table in self.tables.items():
            if name not in TABLES:
                raise _other_schema(name)
            ours = schema_of(TABLES[name], {column.get("name", "") for column in table.columns})
            if table.model_dump(include={"columns", "key", "event_time"}) != ours:
                raise _other_schema(name)
        folders = {name: table.parts for name, table in self.tables.items()} | {"rejected": self.rejected}
        for folder, parts in folders.items():
            for part in parts:
                if not part.key.startswith(f"{prefix}{folder}/"):
                    raise ValueError(f"{part.key} lies outside {prefix}{folder}/")
        return self

    @property
    def key(self) -> str:
        """The manifest's own key in the bucket."""
        return record_key(self.dataset, self.batch_id)

    @property
    def parts(self) -> list[Part]:
        """All its parts, table by table, and those with the rejected lines."""
        return [*(part for table in self.tables.values() for part in table.parts), *self.rejected]

    @property
    def digest(self) -> str:
        """What tells this batch from any other: the manifest's `sha256`, also where it was written without."""
        return self.sha256 or str(self.sealed().sha256)

    def sealed(self) -> Self:
        """The same manifest with its `sha256`."""
        return self.model_copy(update={"sha256": _sha256(self.model_dump(mode="json"))})


class Withdrawal(_Model):
    """The record that a batch no longer counts; written once, beside its manifest."""

    format_version: Literal[1] = 1
    dataset: DatasetName
    batch_id: BatchId
    reason: Annotated[str, Field(max_length=MAX_REASON)] = ""
    withdrawn_at: Annotated[datetime, AfterValidator(_utc)]


def schema_of(table: Table, landed: Container[str] | None = None) -> dict[str, Any]:
    """What a manifest says of a table; of its `landed` columns and its key alone, where others are newer."""
    needed = {*table.key, table.event_time}
    columns = tuple(
        {"source": c.source, "name": c.name, "type": c.type}
        for c in table.columns
        if landed is None or c.name in landed or c.name in needed
    )
    return {"columns": columns, "key": table.key, "event_time": table.event_time}


def _other_schema(name: str) -> PydanticCustomError:
    header = TABLES[name].header if name in TABLES else "no table of that name"
    return PydanticCustomError(OTHER_SCHEMA, "{name}: not as listed there, {header}", {"name": name, "header": header})


def _upgraded(fields: dict[str, Any]) -> dict[str, Any]:
    """A manifest of format 1, which names its columns only, as one of format 2."""
    tables = fields.get("tables")
    if not isinstance(tables, dict):
        return fields
    upgraded = {}
    for name, table in tables.items():
        if not isinstance(table, dict) or name not in TABLES:
            raise _other_schema(str(name))
        sources = table.get("columns")
        names = {c.name for c in TABLES[name].columns if isinstance(sources, list) and c.source in sources}
        described = schema_of(TABLES[name], names)
        if sources != [column["source"] for column in described["columns"]]:
            raise _other_schema(name)
        upgraded[name] = table | described
    return fields | {"format_version": FORMAT_VERSION, "tables": upgraded}


def _sha256(fields: dict[str, Any]) -> str:
    content = {name: value for name, value in fields.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def record_key(dataset: str, batch_id: str, kind: Literal["manifest", "withdrawn", "accepted"] = "manifest") -> str:
    """The key of a record of a batch: its manifest, that it is `withdrawn`, or `accepted` whatever its checks find."""
    return f"{dataset}/{batch_id}/{kind}.json"


def part_key(folder: str, number: int) -> str:
    """The key of a part, numbered from 0, of the folder of a table."""
    return f"{folder}/part-{number:05d}.csv.zst"
