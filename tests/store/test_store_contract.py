"""What every object store must do for this project: run on the embedded one, and on S3_ENDPOINT_URL where it is set."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES

from ingest.errors import StoreError
from ingest.settings import Settings
from ingest.store.bucket import Credentials, Store, Taken
from ingest.store.embedded import object_store
from tests.proxy import always, faulty_proxy, once

ENDPOINTS = ["embedded", *(["environment"] if os.environ.get("S3_ENDPOINT_URL") else [])]


@pytest.fixture(scope="module", params=ENDPOINTS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "embedded":
        yield request.getfixturevalue("embedded_store")
        return
    with object_store(Settings(), embedded=False) as store:
        yield store


@pytest.fixture
def prefix(store: Store) -> Iterator[str]:
    prefix = f"contract-{uuid.uuid4().hex[:12]}/"
    yield prefix
    keys = [{"Key": found.key} for found in store.list(prefix)]
    for at in range(0, len(keys), 1000):
        client(store).delete_objects(Bucket=store.bucket, Delete={"Objects": keys[at : at + 1000], "Quiet": True})


def client(store: Store) -> Any:
    known = store.credentials()
    return boto3.client(
        "s3",
        endpoint_url=store.endpoint_url,
        region_name=store.region,
        aws_access_key_id=known.access_key,
        aws_secret_access_key=known.secret_key,
        aws_session_token=known.token,
    )


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_what_was_put_is_read_back(store: Store, prefix: str, tmp_path: Path) -> None:
    content = os.urandom(9 << 20)
    (tmp_path / "part").write_bytes(content)
    sent: list[int] = []
    store.put_file(f"{prefix}part", tmp_path / "part", sha256(content), sent.append)
    assert store.get(f"{prefix}part") == content
    found = store.head(f"{prefix}part")
    assert found
    assert (found.bytes, found.sha256) == (len(content), sha256(content))
    assert sum(sent) == len(content)


def test_a_missing_object_is_none_and_its_deletion_harmless(store: Store, prefix: str) -> None:
    assert store.get(f"{prefix}none") is None
    assert store.head(f"{prefix}none") is None
    store.delete(f"{prefix}none")


@pytest.mark.parametrize("wrong", ["access_key", "secret_key"])
def test_wrong_credentials_are_refused_and_never_shown(store: Store, prefix: str, wrong: str) -> None:
    known = store.credentials()
    keys = {"access_key": known.access_key, "secret_key": known.secret_key, wrong: "not-the-right-one-0123456789"}
    stranger = Store(store.bucket, store.endpoint_url, credentials=Credentials(**keys))
    for use in (
        lambda: stranger.put(f"{prefix}x", b"x"),
        lambda: stranger.get(f"{prefix}x"),
        lambda: list(stranger.list(prefix)),
        lambda: stranger.ensure_bucket(create=True),
    ):
        with pytest.raises(StoreError, match=r"access denied.*AWS_ACCESS_KEY_ID") as refused:
            use()
        assert keys["secret_key"] not in str(refused.value)
        assert f"s3://{store.bucket}/" in str(refused.value)
    assert known.secret_key not in repr(known)


def test_content_that_does_not_match_its_checksum_is_refused(
    store: Store, prefix: str, tmp_path: Path, impatient: None
) -> None:
    (tmp_path / "part").write_bytes(b"altered on the way")
    with pytest.raises(StoreError, match=f"{prefix}part"):
        store.put_file(f"{prefix}part", tmp_path / "part", sha256(b"as it was"))
    assert store.get(f"{prefix}part") is None


def test_an_object_is_not_overwritten(store: Store, prefix: str) -> None:
    store.put(f"{prefix}x", b"first")
    with pytest.raises(Taken, match=f"{prefix}x"):
        store.put(f"{prefix}x", b"second")
    assert store.get(f"{prefix}x") == b"first"


def test_of_many_writers_of_one_key_one_wins(store: Store, prefix: str) -> None:
    def write(number: int) -> bool:
        try:
            store.put(f"{prefix}x", f"writer {number}".encode())
        except Taken:
            return False
        return True

    with ThreadPoolExecutor(12) as threads:
        won = list(threads.map(write, range(24)))
    assert won.count(True) == 1
    assert store.get(f"{prefix}x") == f"writer {won.index(True)}".encode()


def test_only_the_version_that_was_seen_is_replaced(store: Store, prefix: str) -> None:
    seen = store.put(f"{prefix}x", b"first")
    store.put(f"{prefix}x", b"second", replaces=seen)
    with pytest.raises(Taken):
        store.put(f"{prefix}x", b"third", replaces=seen)
    assert store.get(f"{prefix}x") == b"second"


def test_a_multipart_upload_commits_once(store: Store, prefix: str) -> None:
    s3, place = client(store), {"Bucket": store.bucket, "Key": f"{prefix}big"}
    pieces = [os.urandom(5 << 20), os.urandom(1 << 20)]

    def upload() -> Any:
        upload = s3.create_multipart_upload(**place, ChecksumAlgorithm="SHA256")["UploadId"]
        parts = []
        for number, piece in enumerate(pieces, 1):
            done = s3.upload_part(**place, UploadId=upload, PartNumber=number, Body=piece, ChecksumAlgorithm="SHA256")
            parts.append({"PartNumber": number, "ETag": done["ETag"], "ChecksumSHA256": done["ChecksumSHA256"]})
        assert store.get(f"{prefix}big") in (None, b"".join(pieces))
        return s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*")

    upload()
    assert store.get(f"{prefix}big") == b"".join(pieces)
    with pytest.raises(s3.exceptions.ClientError, match="PreconditionFailed"):
        upload()


def test_a_listing_does_not_end_at_1000_keys(store: Store, prefix: str) -> None:
    keys = [f"{prefix}{number:05d}/x" for number in range(1003)]
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(lambda key: store.put(key, b"x"), keys))
    assert [found.key for found in store.list(prefix)] == keys
    assert list(store.folders(prefix)) == [key.removeprefix(prefix).removesuffix("/x") for key in keys]
    assert [found.key for found in store.list(f"{prefix}00999")] == [f"{prefix}00999/x"]


def test_a_missing_bucket_is_named(store: Store) -> None:
    other = Store(f"missing-{uuid.uuid4().hex[:8]}", store.endpoint_url, credentials=store.credentials())
    for use in (lambda: other.ensure_bucket(create=False), lambda: other.put("x", b"x"), lambda: list(other.list())):
        with pytest.raises(StoreError, match=f"{other.bucket}.*no such bucket.*S3_BUCKET"):
            use()


@pytest.mark.parametrize("fault", ["lost", "reset", "500", "slow"])
def test_a_write_survives_a_faulty_answer_and_is_known_as_ones_own(
    store: Store, prefix: str, fault: Any, impatient: None
) -> None:
    with faulty_proxy(str(store.endpoint_url), once(fault, "PUT", "/x")) as url:
        shaky = Store(store.bucket, url, credentials=store.credentials())
        etag = shaky.put(f"{prefix}x", b"content")
    assert store.get(f"{prefix}x") == b"content"
    assert store.put(f"{prefix}x", b"next", replaces=etag)


@pytest.mark.parametrize("fault", ["truncated", "reset", "500"])
def test_a_read_survives_a_faulty_answer(store: Store, prefix: str, fault: Any, impatient: None) -> None:
    store.put(f"{prefix}x", b"content" * 1000)
    with faulty_proxy(str(store.endpoint_url), once(fault, "GET", "/x")) as url:
        shaky = Store(store.bucket, url, credentials=store.credentials())
        assert shaky.get(f"{prefix}x") == b"content" * 1000


@pytest.mark.parametrize("fault", ["truncated", "reset", "500"])
def test_retries_end_with_an_error_that_names_the_object(
    store: Store, prefix: str, fault: Any, impatient: None
) -> None:
    store.put(f"{prefix}x", b"content" * 1000)
    with faulty_proxy(str(store.endpoint_url), always(fault, "GET", "/x")) as url:
        shaky = Store(store.bucket, url, credentials=store.credentials())
        with pytest.raises(StoreError, match=f"{prefix}x at {url}.*after 5 tries"):
            shaky.get(f"{prefix}x")


def test_a_store_that_is_down_is_named(impatient: None) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        store = Store("movielens", url, credentials=Credentials("key", "never-shown"))
        with pytest.raises(StoreError, match=f"{url}: no answer after 5 tries.*S3_ENDPOINT_URL") as down:
            store.ensure_bucket(create=True)
    assert "never-shown" not in str(down.value)


def test_a_wrong_endpoint_address_is_named() -> None:
    with pytest.raises(StoreError, match="not a url"):
        Store("movielens", "not a url", credentials=Credentials("key", "secret"))


def test_missing_credentials_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    store = Store("movielens", "http://127.0.0.1:9")
    for use in (store.credentials, lambda: store.get("x")):
        with pytest.raises(StoreError, match=r"no usable credentials.*AWS_SECRET_ACCESS_KEY"):
            use()


@pytest.mark.parametrize("text", ["rubbish", "true", "0"])
def test_a_store_with_credentials_of_its_own_ignores_all_that_the_machine_says_of_aws(
    embedded_store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    for _, variables, _, _ in BOTOCORE_DEFAUT_SESSION_VARIABLES.values():
        for name in [variables] if isinstance(variables, str) else variables or ():
            monkeypatch.setenv(name, text)
    (tmp_path / ".aws").mkdir()
    for name in ("config", "credentials"):
        (tmp_path / ".aws" / name).write_text("[default]\nsso_session = none\ns3 =\n use_accelerate_endpoint = true\n[")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"):
        monkeypatch.setenv(name, "stale")
    known = embedded_store.credentials()
    again = Store(embedded_store.bucket, embedded_store.endpoint_url, credentials=known)
    again.ensure_bucket(create=False)
    assert (again.credentials(), again.region) == (known, embedded_store.region)


def test_a_sha256_that_a_store_keeps_is_that_of_the_content(store: Store, prefix: str) -> None:
    content = os.urandom(100_000)
    store.put(f"{prefix}part", content)
    assert store.digest(f"{prefix}part") == (len(content), sha256(content))
    assert store.kept_digest(f"{prefix}part") in (None, (len(content), sha256(content)))


@pytest.mark.parametrize(
    ("kept", "asked"),
    [
        ({"ChecksumSHA256": "3q2+7w==", "ChecksumType": "FULL_OBJECT"}, ["head_object"]),
        ({"ChecksumSHA256": "3q2+7w==-2", "ChecksumType": "COMPOSITE"}, ["head_object", "get_object"]),
        ({}, ["head_object", "get_object"]),
    ],
)
def test_a_part_on_aws_is_not_downloaded_for_a_sha256_that_aws_keeps(
    kept: dict[str, str], asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store("bucket", credentials=Credentials("key", "secret", None))
    calls: list[str] = []
    body = SimpleNamespace(iter_chunks=lambda _: iter([b"12345"]))

    class Aws:
        def head_object(self, **_: object) -> dict[str, Any]:
            calls.append("head_object")
            return {"ContentLength": 5, **kept}

        def get_object(self, **_: object) -> dict[str, Any]:
            calls.append("get_object")
            return {"Body": body}

    monkeypatch.setattr(store, "_client", Aws())
    expected = "deadbeef" if asked == ["head_object"] else sha256(b"12345")
    assert store.digest("part") == (5, expected)
    assert calls == asked


ANSWERS = [
    *((200, body) for body in (b"", b"<html>Please log in</html>", b"{}", b"<ListBucketResult/>", b"\0\xff")),
    (200, b"<ListBucketResult><Contents/><CommonPrefixes/></ListBucketResult>"),
    (204, b""),
    *((status, b"") for status in (301, 302, 307, 400, 404, 405, 418, 500, 503)),
    (301, b"<Error><Code>PermanentRedirect</Code><Region>x y</Region></Error>"),
    (403, b"<Error><Code>AccessDenied"),
]
USES: list[Callable[[Store], object]] = [
    lambda store: store.ensure_bucket(create=True),
    lambda store: store.put("x", b"x"),
    lambda store: store.put("x", b"x", replaces='"etag"'),
    lambda store: store.get("x"),
    lambda store: store.digest("x"),
    lambda store: store.head("x"),
    lambda store: list(store.list()),
    lambda store: list(store.folders("x/")),
    lambda store: store.delete("x"),
]


@pytest.mark.parametrize(("status", "body"), ANSWERS)
def test_a_server_that_is_no_object_store_is_one_clear_error(status: int, body: bytes, impatient: None) -> None:
    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline()
            if self.raw_requestline and self.parse_request():
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(status)
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body if self.command != "HEAD" else b"")
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        store = Store("bucket", f"http://127.0.0.1:{server.server_port}", credentials=Credentials("key", "never-shown"))
        for use in USES:
            with contextlib.suppress(StoreError):
                use(store)
        server.shutdown()
