"""Who wants to hear that a run failed hears it, without a secret or a row's text; a dead address fails nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest.settings import Settings
from pipeline import __main__ as cli
from pipeline import jobs
from pipeline.alerts import alert
from pipeline.dbt import Node
from pipeline.runs import Run, read
from profiles import environment
from profiles.errors import PipelineError


@pytest.fixture
def listener() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A local address, and what it was sent."""
    sent: list[dict[str, str]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"json://127.0.0.1:{server.server_port}/", sent
    server.shutdown()


def failed() -> Run:
    """A run whose gate is closed."""
    run = Run("dev", "dev", outcome="failed", error="the gate is closed: row with «secret text»", batches=["000002"])
    run.steps.append(("gate", 1.0))
    run.nodes.append(Node("unique_fact_ratings", "test", "fail", 0.1, None))
    run.findings.append(
        {
            "severity": "error",
            "batch_id": "000002",
            "subject": "profile_ratings.share_of_unlisted_movies",
            "observed": "12.0%",
            "expected": "at most 1.00%",
            "rows": ["user 1, «secret text»"],
        }
    )
    return run


def settings(url: str | None, **more: object) -> Settings:
    return Settings(MOVIELENS_ALERT_URL=url, **more)  # type: ignore[arg-type]


def test_a_failed_run_says_what_which_batch_and_what_to_do(listener: tuple[str, list[dict[str, str]]]) -> None:
    url, sent = listener
    assert alert(failed(), Path("data/runs/1.json"), settings(url)) == ""
    ((message),) = sent
    text = message["title"] + message["message"]
    for word in (
        "dev failed in gate",
        "000002",
        "share_of_unlisted_movies: 12.0%, expected at most 1.00%",
        "unique_fact_ratings: fail",
        "--accept",
        "--withdraw",
        "data/runs/1.json",
    ):
        assert word in text
    assert "secret text" not in text


def test_text_of_rows_is_sent_when_it_is_asked_for(listener: tuple[str, list[dict[str, str]]]) -> None:
    url, sent = listener
    alert(failed(), Path("1.json"), settings(url, MOVIELENS_ALERT_DETAILS=True))
    assert "user 1, «secret text»" in sent[0]["message"]


def test_a_stale_source_is_told_and_a_good_run_is_not(listener: tuple[str, list[dict[str, str]]]) -> None:
    url, sent = listener
    alert(Run("dev", "dev", outcome="published"), Path("1.json"), settings(url))
    assert sent == []
    alert(Run("dev", "dev", outcome="published", stale="the newest batch is old"), Path("1.json"), settings(url))
    assert "the newest batch is old" in sent[0]["message"]
    assert "Nothing was published" not in sent[0]["message"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("json://:s3cr3t@127.0.0.1:9/", "did not accept the message"),
        ("nothing://s3cr3t", "apprise does not know this kind"),
    ],
)
def test_an_address_that_is_dead_or_of_no_kind_is_reported_without_its_secret(
    url: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    problem = alert(failed(), Path("1.json"), settings(url))
    assert said in problem
    assert "s3cr3t" not in problem + repr(settings(url)) + "".join(capfd.readouterr())


def test_nobody_is_told_where_no_address_is_set() -> None:
    assert alert(failed(), Path("1.json"), settings(None)) == ""


@pytest.mark.parametrize("secret", sorted(environment.SECRETS))
def test_a_secret_that_a_tool_put_into_an_error_is_neither_shown_nor_recorded_nor_sent(
    listener: tuple[str, list[dict[str, str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    url, sent = listener
    hidden = url if secret == "MOVIELENS_ALERT_URL" else "s3cr3t/+=\n'x'"
    own = {"MOVIELENS_ALERT_URL": url, "MOVIELENS_ALERT_DETAILS": "true", "MOVIELENS_DATA_DIR": str(tmp_path)}
    for name, text in {**own, secret: hidden}.items():
        monkeypatch.setenv(name, text)

    def fails(*_: object) -> None:
        raise PipelineError(f"create secret (type s3, secret {hidden}): syntax error")

    monkeypatch.setattr(jobs, "land", fails)
    monkeypatch.setattr(cli, "object_store", lambda *_, **__: nullcontext())
    answer = CliRunner().invoke(cli.app, ["land"])
    assert answer.exit_code == 1
    ((record),) = read(tmp_path / "runs")
    for text in (answer.output, record["error"], sent[0]["message"]):
        assert f"secret <{secret}>): syntax error" in text
        assert hidden not in text
