"""The command line of landing: what a person sees, and the exit code."""

from __future__ import annotations

import errno
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner, Result

from ingest.errors import SourceError, StoreError
from ingest.store.bucket import Store
from pipeline.__main__ import app
from pipeline.command_line import instant


@pytest.fixture
def command_line(embedded_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    known = embedded_store.credentials()
    monkeypatch.setenv("S3_ENDPOINT_URL", str(embedded_store.endpoint_url))
    monkeypatch.setenv("S3_BUCKET", f"cli-{tmp_path.name.lower().replace('_', '-')[-40:].strip('-')}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", known.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", known.secret_key)
    monkeypatch.setenv("MOVIELENS_DATA_DIR", str(tmp_path / "data"))
    return CliRunner()


def test_a_batch_is_landed_once_and_then_listed(command_line: CliRunner) -> None:
    def run(*arguments: str) -> Result:
        result = command_line.invoke(app, arguments)
        assert result.exit_code == 0, result.output
        return result

    assert "Nothing is landed yet" in run("list").output
    assert "batch 000001" in run("land", "sample", "--ratings", "2000").output
    assert "0 bytes uploaded" in run("land", "sample", "--ratings", "2000").output
    assert "delta" in run("land", "sample", "--ratings", "2000", "--day", "2").output + run("list", "sample").output


def test_a_batch_that_was_withdrawn_is_listed_as_such_and_can_be_landed_with_another_date(
    command_line: CliRunner,
) -> None:
    sample = ("land", "sample", "--ratings", "2000")
    assert command_line.invoke(app, sample).exit_code == 0
    mistaken = command_line.invoke(app, [*sample, "--day", "2", "--as-of", "2108-09-26", "--allow-future"])
    assert "batch 000002 as of 2108" in mistaken.output
    taken_back = command_line.invoke(app, ["land", "--withdraw", "000002", "--reason", "[a] typing error"])
    assert (taken_back.exit_code, "withdrawn: 000002" in taken_back.output) == (0, True)
    assert "2020" in command_line.invoke(app, [*sample, "--day", "2"]).output
    listed = command_line.invoke(app, ["list", "sample"]).output
    assert "sample 000002  withdrawn            [a] typing error" in listed
    assert "sample 000003" in listed


def test_a_day_that_follows_has_the_size_of_the_day_before_and_its_own_date(
    command_line: CliRunner, tmp_path: Path
) -> None:
    assert command_line.invoke(app, ["land", "sample", "--ratings", "2000", "--day", "2"]).exit_code == 0
    landed = command_line.invoke(app, ["land", "sample", "--day", "4", "--as-of", "2020-02-01"])
    assert "batch 000003 as of 2020-01-03" in landed.output
    assert "batch 000004 as of 2020-02-01" in landed.output
    assert {path.name for path in tmp_path.glob("data/downloads/sample*-day-?")} == {
        f"sample-2000-day-{day}" for day in (1, 2, 3, 4)
    }
    refused = command_line.invoke(app, ["land", "sample", "--ratings", "3000", "--day", "5"])
    assert (refused.exit_code, "A sample of 2,000 ratings is landed" in refused.stderr) == (1, True)


@pytest.mark.parametrize(("target", "embedded"), [("dev", True), ("", True), ("prod", False)])
@pytest.mark.parametrize("arguments", [("land",), ("land", "--withdraw", "000001"), ("list",)])
def test_a_landing_goes_to_the_store_of_the_target(
    command_line: CliRunner, monkeypatch: pytest.MonkeyPatch, target: str, embedded: bool, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("MOVIELENS_TARGET", target)
    monkeypatch.setattr("pipeline.__main__.object_store", opened := Mock(side_effect=StoreError("stopped here")))
    assert command_line.invoke(app, arguments).exit_code == 1
    assert opened.call_args.kwargs == {"embedded": embedded}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ml-latest-smal"], "did you mean ml-latest-small"),
        (["sample", "--as-of", "yesterday"], "--as-of 'yesterday' is neither a date nor an ISO timestamp"),
        (["mine", "--source", "/does/not/exist"], "/does/not/exist does not exist"),
        (["Mine", "--source", "."], "'Mine' cannot name a data set"),
        (["Mine", "--withdraw", "000001"], "'Mine' cannot name a data set"),
        (["mine", "--withdraw", "000001"], "nothing of it is landed"),
        (["mine", "--withdraw", "../../x"], "nothing of it is landed"),
        (["mine", "--withdraw", ""], "nothing of it is landed"),
        (["mine", "--withdraw", "000001", "--withdraw-after", "000001"], "exclude each other"),
        (["mine", "--withdraw", "000001", "--source", "."], "exclude each other"),
        (["mine", "--withdraw-after", "000001", "--mode", "delta"], "--withdraw-after and --mode exclude each other"),
        (["mine", "--source", ".", "--reason", "wrong"], "--reason is that of a withdrawal"),
        (["mine", "--source", ".", "--day", "2"], "--day and --ratings are the generated sample's"),
        (["ml-latest-small", "--ratings", "2000"], "--day and --ratings are the generated sample's"),
        (["sample", "--ratings", "2000", "--as-of", "2108-09-26"], "--allow-future"),
    ],
)
def test_a_mistake_is_one_message_and_no_traceback(command_line: CliRunner, arguments: list[str], says: str) -> None:
    result = command_line.invoke(app, ["land", *arguments])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert says in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""


@pytest.mark.parametrize("option", ["--no-land", "--rebuild"])
def test_a_source_beside_an_option_that_lands_nothing_is_refused(command_line: CliRunner, option: str) -> None:
    result = command_line.invoke(app, ["dev", "mine", "--source", ".", option])
    assert (result.exit_code, f"{option} lands nothing: land " in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--rebuild", "--follow"], "--rebuild and --follow exclude each other"),
        (["--no-land", "--day", "2"], "--no-land lands nothing: leave out --day"),
        (["--rebuild", "--as-of", "2020-01-01"], "--rebuild lands nothing: leave out --as-of"),
    ],
)
def test_options_that_would_be_passed_over_are_refused(command_line: CliRunner, options: list[str], says: str) -> None:
    result = command_line.invoke(app, ["dev", *options])
    assert (result.exit_code, says in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("failure", "says"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "/root/x"), "error: /root/x: Permission denied. Free some"),
        (OSError(errno.ENOSPC, "No space left on device"), "error: No space left on device. Free some space"),
    ],
)
def test_what_the_machine_refuses_is_one_message(
    command_line: CliRunner, monkeypatch: pytest.MonkeyPatch, failure: OSError, says: str
) -> None:
    def refused(_: Path) -> None:
        raise failure

    monkeypatch.setattr("pipeline.__main__.read_runs", refused)
    result = command_line.invoke(app, ["runs"])
    assert (result.exit_code, result.stderr.startswith(says)) == (1, True), result.output


@pytest.mark.parametrize("option", ["--batch", "--accept"])
def test_what_is_no_batch_is_not_judged(command_line: CliRunner, option: str) -> None:
    result = command_line.invoke(app, ["judge", option, "nosuch"])
    assert (result.exit_code, "'nosuch' is no batch's id" in result.stderr) == (1, True)


@pytest.mark.parametrize("arguments", [["ml-1000"], ["mine", "--source", "/does/not/exist"], ["mine", "--source", "."]])
@pytest.mark.parametrize("command", ["land", "dev"])
def test_a_source_that_cannot_be_landed_starts_no_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOVIELENS_DATA_DIR", str(tmp_path / "data"))
    assert CliRunner().invoke(app, [command, *arguments]).exit_code == 1
    assert not (tmp_path / "data" / "s3").exists()


def test_a_setting_that_is_wrong_is_named(command_line: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3_BUCKET", "No Bucket")
    result = command_line.invoke(app, ["list"])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: S3_BUCKET")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2018-09-26", datetime(2018, 9, 26, tzinfo=UTC)),
        ("2018-09-26T12:30", datetime(2018, 9, 26, 12, 30, tzinfo=UTC)),
        ("2018-09-26T12:30:00+02:00", datetime(2018, 9, 26, 10, 30, tzinfo=UTC)),
        ("2018-09-26T12:30:00Z", datetime(2018, 9, 26, 12, 30, tzinfo=UTC)),
    ],
)
def test_an_as_of_is_utc_unless_it_has_a_zone(text: str, meant: datetime) -> None:
    assert instant(text) == meant


@pytest.mark.parametrize(
    "text", ["yesterday", "", "26.9.2018", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
)
def test_an_as_of_that_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match="neither a date"):
        instant(text)
