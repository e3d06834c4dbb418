"""What Snowflake says is one line with advice, wherever it is said."""

from __future__ import annotations

import json
import os

import pytest

from profiles import snowflake

SAID = {
    "003001 (42501): SQL access control error:\nInsufficient privileges to operate on schema 'MARTS'": "bootstrap",
    "002003 (42S02): SQL compilation error:\nObject 'MOVIELENS.RAW.RATINGS' does not exist or not authorized.": "bootstrap",
    "000666 (57014): Warehouse 'MOVIELENS' cannot be resumed because resource monitor 'MOVIELENS' has exceeded its quota.": "credits are used up",
    "250001 (08001): Failed to connect to DB: org-name.snowflakecomputing.com:443": "network",
    "('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))": "network",
    "000604 (57014): SQL execution canceled": "cancelled",
    "000630 (57014): Statement reached its statement or warehouse timeout of 3,600 second(s) and was canceled.": "cancelled",
    "390114 (08001): Authentication token has expired. The user must authenticate again.": "sign in again",
    "390111: Session no longer exists. New login required to access the service.": "sign in again",
    "250001 (08001): Failed to connect to DB. JWT token is invalid. [1d2c]": "the key is not the user's",
    "390100 (08004): Incorrect username or password was specified.": "SNOWFLAKE_USER",
    "000606 (57P03): No active warehouse selected in the current session.": "SNOWFLAKE_WAREHOUSE",
}


@pytest.mark.parametrize(
    ("given", "lacks"),
    [
        ({}, True),
        ({"SNOWFLAKE_AUTHENTICATOR": "snowflake_jwt"}, True),
        ({"SNOWFLAKE_AUTHENTICATOR": "SNOWFLAKE_JWT", "SNOWFLAKE_PASSWORD": "x"}, True),
        ({"SNOWFLAKE_AUTHENTICATOR": "snowflake_jwt", "SNOWFLAKE_PRIVATE_KEY": "x"}, False),
        ({"SNOWFLAKE_AUTHENTICATOR": "externalbrowser"}, False),
        ({"SNOWFLAKE_PASSWORD": "x"}, False),
    ],
)
def test_who_one_is_has_to_be_proven_in_the_way_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], lacks: bool
) -> None:
    for name in (*snowflake.CREDENTIALS, "SNOWFLAKE_AUTHENTICATOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"SNOWFLAKE_ACCOUNT": "a", "SNOWFLAKE_USER": "u"} | given).items():
        monkeypatch.setenv(name, value)
    assert bool(snowflake.missing()) == lacks


@pytest.mark.parametrize("said", SAID)
def test_an_error_is_one_line_and_says_what_to_do(said: str) -> None:
    explained = snowflake.explain(Exception(said))
    assert "\n" not in explained
    assert said.split("\n")[0][:40] in explained
    assert SAID[said] in explained.partition(" — ")[2]


def test_an_error_that_nobody_knows_is_shown_as_it_is() -> None:
    assert snowflake.explain("something  else\nhappened") == "something else happened"


def test_roles_are_named_after_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNOWFLAKE_ROLE", raising=False)
    monkeypatch.setenv("SNOWFLAKE_DATABASE", "films")
    assert snowflake.role("reporter") == "films_reporter"
    monkeypatch.setenv("SNOWFLAKE_ROLE", "films_ci")
    assert snowflake.role("reporter") == "films_ci"


def test_a_session_is_tagged_with_its_run_and_its_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(snowflake.TAG, "")
    snowflake.tag(run="today")
    snowflake.tag("000002")
    assert json.loads(os.environ[snowflake.TAG]) == {
        "app": "movielens",
        "run": "today",
        "batch": "000002",
    }
