"""How this package talks S3: credentials, bounded retries, time limits, and what an error means for a person."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore.session
from botocore import exceptions as aws
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.parsers import ResponseParserError

from ingest.errors import StoreError

ATTEMPTS = 5
DEFAULT_REGION = "us-east-1"
# Every setting of the SDK at its default, whatever AWS's variables and files on this machine say.
_DEFAULTS: dict[str, Any] = {
    name: (None, [], os.devnull if name.endswith("_file") else default, convert)
    for name, (_, _, default, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
}
MISSING = {"404", "NoSuchKey", "NotFound"}
TAKEN = {"412", "PreconditionFailed"}
# AWS answers 409 when two conditional writes of one key meet; the SDK does not retry that.
CONFLICT = {"409", "ConditionalRequestConflict", "OperationAborted"}
# The SDK retries requests, not bodies that end early.
CUT_SHORT = (aws.IncompleteReadError, aws.ResponseStreamingError)
# What the SDK makes of a web page: answers without their fields, and redirects that it follows without end.
NO_STORE = (KeyError, RecursionError, ResponseParserError)
_DENIED = {"401", "403", "AccessDenied", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"}


@dataclass(frozen=True)
class Credentials:
    """Frozen credentials; their `repr` shows none of them."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def connect(endpoint_url: str | None, credentials: Credentials | None) -> tuple[boto3.Session, Any, str]:
    """A session, its S3 client and its region; nothing is asked of the store yet.

    Parameters: `endpoint_url`, None for AWS; `credentials`, None for the standard AWS chain. With credentials of its
    own, a client depends on nothing that the environment or the home folder says of AWS, and on no proxy. Raises what
    the SDK raises.
    """
    base = botocore.session.Session(_DEFAULTS if credentials else None)
    if credentials:
        base.set_credentials(credentials.access_key, credentials.secret_key, credentials.token)
    session = boto3.Session(botocore_session=base)
    region = session.region_name or (not credentials and os.environ.get("AWS_REGION")) or DEFAULT_REGION
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


def code(error: BaseException) -> str:
    """The S3 error code of a client error, '' for any other error."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, aws.ClientError) else ""


def explain(error: Exception, place: str, key: str, hint: str) -> StoreError:
    """The `StoreError` for a client's error.

    Parameters: `place`, the key's address in words; `key`, '' when the bucket as a whole is meant; `hint`, a sentence
    on what to look at when the store fails.
    """
    if isinstance(error, aws.ClientError):
        return StoreError(f"{place}: {_answered(error, key, hint)}")
    if isinstance(error, aws.NoCredentialsError | aws.PartialCredentialsError | aws.ProfileNotFound):
        return StoreError(
            f"{place}: no usable credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
        )
    if isinstance(error, aws.HTTPClientError | aws.ConnectionError | aws.IncompleteReadError):
        what = hint or "Is the store running, and is S3_ENDPOINT_URL right?"
        return StoreError(f"{place}: no answer after {ATTEMPTS} tries ({type(error).__name__}). {what}")
    if isinstance(error, NO_STORE):
        return StoreError(
            f"{place}: what answers there is no S3 store. Does S3_ENDPOINT_URL name the store's S3 port, and not its "
            f"console or a proxy?"
        )
    return StoreError(f"{place}: {error}. Check S3_ENDPOINT_URL, S3_BUCKET and the AWS settings.")


def _answered(error: aws.ClientError, key: str, hint: str) -> str:
    what, status = code(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if what == "NoSuchBucket" or (what in MISSING and not key):
        return "no such bucket. Create it, or name another one in S3_BUCKET."
    if what in _DENIED:
        return (
            f"access denied ({what}). Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_PROFILE, what they may do "
            f"in this bucket, and this machine's clock."
        )
    tried = f" after {ATTEMPTS} tries" if status >= 500 or status == 429 else ""
    message = error.response.get("Error", {}).get("Message", "")
    return f"the store answered {what}{tried}: {message.rstrip('.')}. {hint}".rstrip()
