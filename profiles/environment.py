"""The environment of a run: built from what the project documents, not inherited from whoever calls.

A variable that a tool reads on its own account (dbt's `DBT_EXCLUDE_RESOURCE_TYPES`, an expired `AWS_SESSION_TOKEN`, a
`PYTHONWARNINGS`) would change what a run does without a word. So a variable is passed on by name, or not at all.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import SettingsError
from ingest.settings import Settings, absolute

ROOT = Path(__file__).resolve().parents[1]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What any program needs to find itself, its files, its terminal and a person's browser.
SYSTEM = _names(
    """
    PATH HOME USER LOGNAME SHELL TERM COLORTERM BROWSER DISPLAY WAYLAND_DISPLAY XAUTHORITY XDG_RUNTIME_DIR
    NO_COLOR COLUMNS LINES LANG LANGUAGE TZ TMPDIR TEMP TMP LD_LIBRARY_PATH DYLD_LIBRARY_PATH CI SSL_CERT_FILE
    SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy
    https_proxy all_proxy no_proxy
    """
)
# What chooses among what the project does; a test holds README's list against it.
PROJECT = frozenset(str(field.validation_alias) for field in Settings.model_fields.values()) | {
    "MOVIELENS_SCHEMA_PREFIX"
}
# The standard AWS chain, for a store that is not the embedded one.
AWS = _names(
    """
    AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION
    AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_CA_BUNDLE AWS_ROLE_ARN AWS_ROLE_SESSION_NAME
    AWS_WEB_IDENTITY_TOKEN_FILE AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI
    AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE AWS_EC2_METADATA_DISABLED
    """
)
SNOWFLAKE = _names(
    """
    SNOWFLAKE_ACCOUNT SNOWFLAKE_USER SNOWFLAKE_ROLE SNOWFLAKE_WAREHOUSE SNOWFLAKE_DATABASE
    SNOWFLAKE_PRIVATE_KEY_PATH SNOWFLAKE_PRIVATE_KEY SNOWFLAKE_PRIVATE_KEY_PASSPHRASE SNOWFLAKE_AUTHENTICATOR
    SNOWFLAKE_TOKEN SNOWFLAKE_PASSWORD
    """
)
SECRETS = _names(
    """
    AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_CONTAINER_AUTHORIZATION_TOKEN SNOWFLAKE_PRIVATE_KEY
    SNOWFLAKE_PRIVATE_KEY_PASSPHRASE SNOWFLAKE_TOKEN SNOWFLAKE_PASSWORD MOVIELENS_ALERT_URL
    """
)
LOOPBACK = "127.0.0.1,localhost"
_PATH = re.compile(r"(?<!LIBRARY)_(FILE|PATH|DIR|BUNDLE)$|^(TMPDIR|TEMP|TMP)$")  # LD_LIBRARY_PATH is a list


def built(caller: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """The environment of everything that a run starts or imports, from its caller's and the settings read from it.

    Paths are absolute in it, since a run changes its folder. Raises `SettingsError` for one that leads nowhere.
    """
    passed = SYSTEM | PROJECT | SNOWFLAKE | AWS
    environment = {name: text for name, text in caller.items() if text and (name in passed or name.startswith("LC_"))}
    for name in environment:
        if _PATH.search(name):
            try:
                environment[name] = str(absolute(environment[name]))
            except ValueError as problem:
                raise SettingsError(f"{name}: {problem}") from None
    environment |= {
        "MOVIELENS_DATA_DIR": str(settings.data_dir),
        "MOVIELENS_WAREHOUSE": str(settings.warehouse),
        "MOVIELENS_MEMORY_LIMIT": settings.memory_limit,
        "S3_BUCKET": settings.s3_bucket,
        "NO_PROXY": ",".join(filter(None, (caller.get("NO_PROXY") or caller.get("no_proxy"), LOOPBACK))),
        "PYTHONPATH": str(ROOT),  # where an environment was made by other means than nox
        "PYTHONUTF8": "1",
        "DBT_PROJECT_DIR": str(ROOT / "transform"),
        "DBT_PROFILES_DIR": str(ROOT / "profiles"),
        "DBT_LOG_PATH": str(settings.data_dir / "work" / "dbt" / "logs"),
        "DBT_TARGET_PATH": str(settings.data_dir / "work" / "dbt" / "target"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "SNOWFLAKE_HOME": os.devnull,  # the connector stops at a broken file of its command line's in the home folder
        "GX_ANALYTICS_ENABLED": "false",
    }
    environment.pop("no_proxy", None)  # the lower case would win over the other
    return environment


def adopt() -> Settings:
    """Puts the built environment in the place of this process's own, for itself and all that it starts.

    Returns the settings. Raises `SettingsError` for one that cannot be used.
    """
    settings = Settings.read()
    environment = built(os.environ, settings)
    os.environ.clear()
    os.environ.update(environment)
    return settings


@contextmanager
def also(**more: str) -> Iterator[None]:
    """Sets variables of this process, and of what it starts, while the context lasts."""
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        forget(more)
        os.environ.update({name: text for name, text in before.items() if text is not None})


def without_secrets(text: str) -> str:
    """A text as it may be shown, kept and sent: a tool's error may quote the statement that had a secret in it."""
    for name in SECRETS:
        if secret := os.environ.get(name):
            text = text.replace(secret, f"<{name}>")
    return text


def forget(names: Iterable[str]) -> None:
    """Takes variables out of the environment of this process and of all that it starts from now on."""
    for name in names:
        os.environ.pop(name, None)
