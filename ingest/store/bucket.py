"""The object store: the few S3 operations that landing and loading need, with bounded retries and plain errors."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from ingest.errors import StoreError
from ingest.store import client as s3
from ingest.store.client import Credentials

__all__ = ["Credentials", "Found", "Store", "Taken"]
T = TypeVar("T")


class Taken(StoreError):
    """A conditional write found other content under its key."""


@dataclass(frozen=True)
class Found:
    """An object as a listing or a head shows it; `sha256` and `age` (seconds, by the store's clock) only in a head."""

    key: str
    bytes: int
    etag: str
    sha256: str | None = None
    age: float = 0.0


class Store:
    """One bucket.

    Parameters: `bucket`; `endpoint_url`, None for AWS; `credentials`, None for the standard AWS chain; `hint` says
    what to look at when the store fails. Every failure is a `StoreError` that names endpoint, bucket and
    key, and no secret.
    """

    def __init__(
        self,
        bucket: str,
        endpoint_url: str | None = None,
        *,
        credentials: Credentials | None = None,
        hint: Callable[[], str] = str,
    ) -> None:
        self.bucket, self.endpoint_url, self.region, self._hint = bucket, endpoint_url, s3.DEFAULT_REGION, hint
        with self._errors(""):
            self._session, self._client, self.region = s3.connect(endpoint_url, credentials)

    def address(self, key: str = "") -> str:
        """Where a key is, in words for a person."""
        return f"s3://{self.bucket}/{key} at {self.endpoint_url or f'AWS ({self.region})'}"

    def credentials(self) -> Credentials:
        """The credentials in use, frozen; raises `StoreError` when there are none."""
        with self._errors(""):
            found = self._session.get_credentials()
            frozen = found.get_frozen_credentials() if found else None
            if not frozen or not frozen.access_key or not frozen.secret_key:
                raise NoCredentialsError
            return Credentials(frozen.access_key, frozen.secret_key, frozen.token)

    def ensure_bucket(self, *, create: bool) -> None:
        """Checks that the bucket can be used; creates it when it is missing and `create` is set."""
        with self._errors(""):
            try:
                self._client.head_bucket(Bucket=self.bucket)
            except ClientError as error:
                if s3.code(error) not in {*s3.MISSING, "NoSuchBucket"} or not create:
                    raise
                with _unless({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}):  # another process was quicker
                    self._client.create_bucket(Bucket=self.bucket)

    def put(self, key: str, body: bytes, *, replaces: str | None = None) -> str:
        """Writes a new object, or replaces exactly the version with the ETag `replaces`; returns the new ETag.

        Raises `Taken` when the key holds other content. That a write succeeded though its answer got lost is seen
        from the content.
        """
        return self._put(key, io.BytesIO(body), hashlib.sha256(body).hexdigest(), replaces)

    def put_file(self, key: str, path: Path, sha256: str, on_bytes: Callable[[int], None] = lambda _: None) -> str:
        """Streams a file into a new object, as `put`; the store checks it against `sha256` (hex).

        `on_bytes` gets the number of bytes read from the file, negative when the client goes back.
        """
        with _Watched(path, on_bytes) as body:
            return self._put(key, body, sha256, None)

    def _put(self, key: str, body: io.IOBase, sha256: str, replaces: str | None) -> str:
        options = {
            "ChecksumSHA256": base64.b64encode(bytes.fromhex(sha256)).decode(),
            "Metadata": {"sha256": sha256},
            **({"IfMatch": replaces} if replaces else {"IfNoneMatch": "*"}),
        }

        def send() -> str:
            body.seek(0)
            return str(self._client.put_object(Bucket=self.bucket, Key=key, Body=body, **options)["ETag"])

        # AWS answers that a key is missing where a version is to be replaced that was deleted.
        with self._errors(key), _unless(s3.TAKEN | s3.MISSING if replaces else s3.TAKEN):
            return _retrying(lambda error: s3.code(error) in s3.CONFLICT)(send)
        found = self.head(key)
        if found is None or found.sha256 != sha256:
            raise Taken(f"{self.address(key)}: another process wrote it meanwhile; nothing was overwritten.")
        return found.etag

    def get(self, key: str) -> bytes | None:
        """A small object's content, None when there is none."""
        with self._errors(key), _unless(s3.MISSING):
            return self._read(key, lambda body: bytes(body.read()))
        return None

    def digest(self, key: str) -> tuple[int, str] | None:
        """The size and sha256 (hex) of an object's content, None when there is none.

        AWS keeps the sha256 that it held the content against, and guards both: it is asked. Any other store's content
        is read.
        """
        with self._errors(key), _unless(s3.MISSING):
            kept = self.kept_digest(key) if self.endpoint_url is None else None
            return kept or self._read(key, _digest)
        return None

    def kept_digest(self, key: str) -> tuple[int, str] | None:
        """The size and sha256 (hex) that the store itself keeps of an object's content; None where it keeps none."""
        answer = self._client.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED")
        if answer.get("ChecksumType", "FULL_OBJECT") != "FULL_OBJECT" or "-" in answer.get("ChecksumSHA256", "-"):
            return None
        return answer["ContentLength"], base64.b64decode(answer["ChecksumSHA256"]).hex()

    def _read(self, key: str, use: Callable[[Any], T]) -> T:
        """What `use` makes of an object's body; one that is cut short is read again."""
        return _retrying(lambda error: isinstance(error, s3.CUT_SHORT))(
            lambda: use(self._client.get_object(Bucket=self.bucket, Key=key)["Body"])
        )

    def head(self, key: str) -> Found | None:
        """An object's size, ETag, age and (when it was written by `put`) sha256; None when there is none."""
        with self._errors(key), _unless(s3.MISSING):
            answer = self._client.head_object(Bucket=self.bucket, Key=key)
            date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
            now = parsedate_to_datetime(date) if date else datetime.now(UTC)
            age = (now - answer["LastModified"]).total_seconds()
            return Found(key, answer["ContentLength"], answer["ETag"], answer["Metadata"].get("sha256"), age)
        return None

    def list(self, prefix: str = "") -> Iterator[Found]:
        """Every object under a prefix, in key order."""
        with self._errors(prefix):
            for page in self._pages(prefix):
                for entry in page.get("Contents", ()):
                    yield Found(entry["Key"], entry["Size"], entry["ETag"])

    def folders(self, prefix: str = "") -> Iterator[str]:
        """The next path segment of every key under a prefix, in order, each once."""
        with self._errors(prefix):
            for page in self._pages(prefix, Delimiter="/"):
                for entry in page.get("CommonPrefixes", ()):
                    yield entry["Prefix"][len(prefix) :].rstrip("/")

    def _pages(self, prefix: str, **options: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2")
        yield from pages.paginate(Bucket=self.bucket, Prefix=prefix, **options)

    def delete(self, key: str) -> None:
        """Deletes an object; it may be missing."""
        with self._errors(key):
            self._client.delete_object(Bucket=self.bucket, Key=key)

    @contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        try:
            yield
        except (BotoCoreError, ClientError, ValueError, *s3.NO_STORE) as error:
            raise s3.explain(error, self.address(key), key, self._hint()) from None


class _Watched(io.FileIO):
    """A file that reports how far it is read."""

    def __init__(self, path: Path, on_bytes: Callable[[int], None]) -> None:
        super().__init__(path)
        self._on_bytes = on_bytes

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = super().read(-1 if size is None else size)
        self._on_bytes(len(chunk))
        return chunk

    def seek(self, offset: int, whence: int = 0, /) -> int:
        before = self.tell()
        after = super().seek(offset, whence)
        self._on_bytes(after - before)
        return after


@contextmanager
def _unless(codes: Container[str]) -> Iterator[None]:
    """Passes over the errors of the client that have one of the codes."""
    try:
        yield
    except ClientError as error:
        if s3.code(error) not in codes:
            raise


def _digest(body: Any) -> tuple[int, str]:
    size, sha256 = 0, hashlib.sha256()
    for chunk in body.iter_chunks(1 << 20):
        size += len(chunk)
        sha256.update(chunk)
    return size, sha256.hexdigest()


def _retrying(on: Callable[[BaseException], bool]) -> Retrying:
    wait, stop = wait_random_exponential(max=5), stop_after_attempt(s3.ATTEMPTS)
    return Retrying(retry=retry_if_exception(on), wait=wait, stop=stop, reraise=True)
