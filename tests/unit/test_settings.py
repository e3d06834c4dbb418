"""What a person can mistype in a setting is told in one line, and what may be a secret is not repeated."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.errors import SettingsError
from ingest.settings import Settings, absolute

WITH_A_SECRET = ["http://user:{}@127.0.0.1:9", "https://{}@host", "http://host/?token={}", "http://host#{}"]


def refusal(name: str, value: str) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value)
        with pytest.raises(SettingsError) as refused:
            Settings.read()
    return str(refused.value)


@given(secret=st.text(st.characters(min_codepoint=33, max_codepoint=0x17F, exclude_characters="/")).map("§{}§".format))
@example(secret="p/ss@w?rd#")
@pytest.mark.parametrize("address", WITH_A_SECRET)
def test_an_endpoint_that_is_more_than_an_address_is_refused_and_not_shown(address: str, secret: str) -> None:
    refused = refusal("S3_ENDPOINT_URL", address.format(secret))
    assert "S3_ENDPOINT_URL: it is not the address" in refused
    assert secret not in refused


@pytest.mark.parametrize(
    "value", ["127.0.0.1:9000", "http://[::1", "http://host:99999", "http://host:x", "file:///etc", "s3://x", "http://"]
)
def test_what_is_no_address_is_refused(value: str) -> None:
    assert "such as http://127.0.0.1:9000" in refusal("S3_ENDPOINT_URL", value)


@pytest.mark.parametrize("value", ["http://127.0.0.1:9000", "https://[::1]:9000", "https://storage.example.com/"])
def test_an_address_is_taken(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3_ENDPOINT_URL", value)
    assert Settings.read().s3_endpoint_url == value


@pytest.mark.parametrize("value", ["../x", "My_Company", "a", "a..b", "xn--a", "192.168.1.1", "x" * 64, "-a-", "a b"])
def test_what_no_store_takes_as_a_bucket_is_refused(value: str) -> None:
    assert "cannot be a bucket" in refusal("S3_BUCKET", value)


def test_a_path_that_begins_with_a_tilde_is_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert absolute("~/x.zip") == tmp_path / "x.zip"
