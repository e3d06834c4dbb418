"""What a person can set: each variable is a field of `Settings`, which the project's own code reads it from.

dbt's profile and DuckDB's plugin take theirs from the environment that `profiles.environment` builds of these settings,
as do credentials (AWS's and Snowflake's own variables) and the schemas' prefix, which have no field.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest.errors import SettingsError

# DuckDB calls a database by its file's name: one that is called like a schema makes every `schema.table` ambiguous.
_TAKEN = (
    *("raw", "ops", "seeds", "staging", "intermediate", "snapshots", "quality", "marts"),
    *("main", "temp", "system", "memory", "pg_catalog", "information_schema"),
)


def absolute(path: str | Path) -> Path:
    """A path from the current folder on, `~` being the home folder; raises ValueError where there is no such home."""
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as problem:  # no such user, or no home folder
        raise ValueError(f"{str(path)!r} cannot be found: {problem}") from None


def _folder(path: Path) -> Path:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise ValueError(f"{str(path)!r} is not UTF-8, in which DuckDB reads paths: use another folder") from None
    if "?" in str(path):
        raise ValueError(f"{path} has a question mark, after which DuckDB reads options: use another folder")
    return path


def _file_of_a_warehouse(path: Path) -> Path:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", path.stem) or path.stem.lower() in _TAKEN:
        raise ValueError(
            f"{path.name} cannot be the name of a warehouse: use letters, digits and _ before the ending, as in "
            f"warehouse.duckdb, and none of {', '.join(_TAKEN)}"
        )
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is not a file")
    return path


def _bucket(name: str) -> str:
    reserved = ".." in name or name.startswith("xn--") or re.fullmatch(r"[0-9.]+", name)
    if reserved or not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name):
        raise ValueError(f"{name!r} cannot be a bucket: use 3 to 63 lower-case letters, digits, hyphens and dots")
    return name


def _endpoint(url: str) -> str:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) and parts.path in ("", "/")
    except ValueError:
        fits = False
    if not fits or re.search(r"[@?#\\\s]", url):
        raise ValueError(  # never with the text itself: it may hold a password
            "it is not the address of an S3 store, such as http://127.0.0.1:9000 (credentials are in AWS_ACCESS_KEY_ID "
            "and AWS_SECRET_ACCESS_KEY)"
        )
    return url


def _memory(text: str) -> str:
    found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]+)?) ?([MGT])i?B", text, re.IGNORECASE)
    if not found or float(found[1]) * {"M": 1, "G": 1000, "T": 1000**2}[found[2].upper()] < 200:
        raise ValueError(f"{text!r} is not an amount of memory that a build can work in: 200MB or more, such as 4GB")
    return text


AbsolutePath = Annotated[Path, BeforeValidator(absolute), AfterValidator(_folder)]


class Settings(BaseSettings):
    """Where run-time state lives, which object store is used, and what a run may take and report.

    `data_dir`: the folder of all run-time state. `warehouse_path`: the DuckDB file, by default in that folder.
    `memory_limit`: DuckDB's. `target`: what notebooks and site show, and whose store `land` uses. `releases_url`: where
    releases come from.
    `s3_endpoint_url`: an S3-compatible store; unset means the embedded store on dev and AWS on prod.
    `s3_bucket`: its bucket.
    `alert_url`: where failures are reported, one or more of apprise's addresses; `alert_details`: with text of rows and
    errors; `stale_after_days`: report data that is older. An empty variable counts as unset; `~` is the home folder; a
    relative path starts at the current one.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore")

    data_dir: AbsolutePath = Field(default=Path("data"), validation_alias="MOVIELENS_DATA_DIR", validate_default=True)
    warehouse_path: Annotated[AbsolutePath, AfterValidator(_file_of_a_warehouse)] | None = Field(
        default=None, validation_alias="MOVIELENS_WAREHOUSE"
    )
    memory_limit: Annotated[str, AfterValidator(_memory)] = Field(
        default="1500MB", validation_alias="MOVIELENS_MEMORY_LIMIT"
    )
    target: Literal["dev", "prod"] = Field(default="dev", validation_alias="MOVIELENS_TARGET")
    releases_url: str = Field(
        default="https://files.grouplens.org/datasets/movielens",
        validation_alias="MOVIELENS_RELEASES_URL",
        repr=False,  # a mirror's address may hold a password
    )
    s3_endpoint_url: Annotated[str, AfterValidator(_endpoint)] | None = Field(
        default=None, validation_alias="S3_ENDPOINT_URL"
    )
    s3_bucket: Annotated[str, AfterValidator(_bucket)] = Field(default="movielens", validation_alias="S3_BUCKET")
    alert_url: SecretStr | None = Field(default=None, validation_alias="MOVIELENS_ALERT_URL")
    alert_details: bool = Field(default=False, validation_alias="MOVIELENS_ALERT_DETAILS")
    stale_after_days: int | None = Field(default=None, ge=1, validation_alias="MOVIELENS_STALE_AFTER_DAYS")

    @classmethod
    def read(cls) -> Self:
        """The settings of the environment; raises `SettingsError` naming the variable that cannot be used."""
        try:
            return cls()
        except ValidationError as error:
            problems = [f"{e['loc'][0]}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()]
            raise SettingsError("; ".join(problems)) from None

    @property
    def downloads(self) -> Path:
        """Cached archives."""
        return self.data_dir / "downloads"

    @property
    def s3_dir(self) -> Path:
        """The embedded object store's files."""
        return self.data_dir / "s3"

    @property
    def warehouse(self) -> Path:
        """The DuckDB warehouse."""
        return self.warehouse_path or self.data_dir / "warehouse.duckdb"
