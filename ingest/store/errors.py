"""What an S3 client's error means for a person: endpoint, bucket, key, and what to do; never a secret."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ResponseStreamingError,
)

from ingest.errors import StoreError
from ingest.store.client import ATTEMPTS

MISSING = {"404", "NoSuchKey", "NotFound"}
TAKEN = {"412", "PreconditionFailed"}
# AWS answers 409 when two conditional writes of one key meet; the SDK does not retry that.
CONFLICT = {"409", "ConditionalRequestConflict", "OperationAborted"}
# The SDK retries requests, not bodies that end early.
CUT_SHORT = (IncompleteReadError, ResponseStreamingError)
_DENIED = {"401", "403", "AccessDenied", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"}


def code(error: BaseException) -> str:
    """The S3 error code of a client error, '' for any other error."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def explain(error: BotoCoreError | ClientError | ValueError, place: str, key: str, hint: str) -> StoreError:
    """The `StoreError` for a client's error.

    Parameters: `place`, the key's address in words; `key`, '' when the bucket as a whole is meant; `hint`, a sentence
    on what to look at when the store fails.
    """
    if isinstance(error, ClientError):
        return StoreError(f"{place}: {_answered(error, key, hint)}")
    if isinstance(error, NoCredentialsError | PartialCredentialsError | ProfileNotFound):
        return StoreError(
            f"{place}: no usable credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
        )
    if isinstance(error, HTTPClientError | ConnectionError | IncompleteReadError):
        what = hint or "Is the store running, and is S3_ENDPOINT_URL right?"
        return StoreError(f"{place}: no answer after {ATTEMPTS} tries ({type(error).__name__}). {what}")
    return StoreError(f"{place}: {error}. Check S3_ENDPOINT_URL, S3_BUCKET and the AWS settings.")


def _answered(error: ClientError, key: str, hint: str) -> str:
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
