"""dbt-duckdb plugin: the object store's side of a DuckDB connection.

httpfs is loaded from its wheel, so that nothing is fetched and no home folder is touched. It happens here
because dbt-duckdb creates a profile's secrets before it loads anything but named extensions, and so that no
credential passes through a profile, a log or a compiled file.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import duckdb
import duckdb_extension_httpfs
from dbt.adapters.duckdb.plugins import BasePlugin


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class Plugin(BasePlugin):
    """Loads httpfs and registers the environment's S3 credentials for the life of the connection."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Prepare `conn`; without AWS credentials in the environment, only httpfs is loaded."""
        root = Path(duckdb_extension_httpfs.__file__).parent
        (extension,) = root.glob(f"extensions/v{duckdb.__version__}/httpfs.duckdb_extension")
        conn.execute(f"load {_quote(str(extension))}")
        if "AWS_ACCESS_KEY_ID" not in os.environ:
            return
        options = {
            "scope": f"s3://{os.environ.get('S3_BUCKET') or 'movielens'}",
            "key_id": os.environ["AWS_ACCESS_KEY_ID"],
            "secret": os.environ.get("AWS_SECRET_ACCESS_KEY", ""),
            "region": os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1",
        }
        if token := os.environ.get("AWS_SESSION_TOKEN"):
            options["session_token"] = token
        if endpoint := os.environ.get("S3_ENDPOINT_URL"):
            url = urlsplit(endpoint)
            options |= {"endpoint": url.netloc, "url_style": "path", "use_ssl": str(url.scheme == "https").lower()}
            # DuckDB takes HTTP_PROXY from the environment and knows no NO_PROXY.
            proxy = "" if proxy_bypass(url.netloc) else getproxies().get(url.scheme, "")
            conn.execute(f"set http_proxy = {_quote(proxy)}")
        pairs = ", ".join(f"{name} {_quote(value)}" for name, value in options.items())
        conn.execute(f"create or replace temporary secret object_store (type s3, {pairs})")
