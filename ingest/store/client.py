"""How this package talks S3: credentials, bounded retries and time limits."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import NoCredentialsError

ATTEMPTS = 5
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True)
class Credentials:
    """Frozen credentials; their `repr` shows none of them."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def connect(endpoint_url: str | None, credentials: Credentials | None) -> tuple[boto3.Session, Any, str]:
    """A session, its S3 client and its region; nothing is asked of the store yet.

    Parameters: `endpoint_url`, None for AWS; `credentials`, None for the standard AWS chain. With credentials of its
    own, a client depends on no AWS profile and no proxy of the environment. Raises what the SDK raises.
    """
    session = boto3.Session(
        aws_access_key_id=credentials.access_key if credentials else None,
        aws_secret_access_key=credentials.secret_key if credentials else None,
        aws_session_token=credentials.token if credentials else None,
        botocore_session=botocore.session.Session({"profile": (None, [], None, None)} if credentials else None),
    )
    region = session.region_name or os.environ.get("AWS_REGION") or DEFAULT_REGION
    config = Config(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        connect_timeout=5,
        read_timeout=30,
        max_pool_connections=16,
        signature_version="s3v4",
        s3={"addressing_style": "path"} if endpoint_url else {},
        proxies={} if credentials else None,
    )
    return session, session.client("s3", endpoint_url=endpoint_url, region_name=region, config=config), region


def credentials_of(session: boto3.Session) -> Credentials:
    """The credentials that a session uses now; raises `NoCredentialsError` when it has none."""
    found = session.get_credentials()
    frozen = found.get_frozen_credentials() if found else None
    if not frozen or not frozen.access_key or not frozen.secret_key:
        raise NoCredentialsError
    return Credentials(frozen.access_key, frozen.secret_key, frozen.token)
