"""Settings, all from the environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where run-time state lives and which object store is used.

    `data_dir` (MOVIELENS_DATA_DIR): the folder for all run-time state. `warehouse_path`
    (MOVIELENS_WAREHOUSE): the DuckDB file, by default in that folder. `s3_endpoint_url` (S3_ENDPOINT_URL): an
    S3-compatible store; unset means the embedded store on dev and AWS on prod. `s3_bucket` (S3_BUCKET).
    Credentials come from the standard AWS chain and are not read here.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore")

    data_dir: Path = Field(default=Path("data"), validation_alias="MOVIELENS_DATA_DIR")
    warehouse_path: Path | None = Field(default=None, validation_alias="MOVIELENS_WAREHOUSE")
    s3_endpoint_url: str | None = Field(default=None, validation_alias="S3_ENDPOINT_URL")
    s3_bucket: str = Field(
        default="movielens", validation_alias="S3_BUCKET", pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"
    )

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
