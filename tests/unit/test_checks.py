"""The suites as files: what they say, and which line is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from expectations import checks
from expectations.checks import Check, WrongCheck
from expectations.verdict import Finding, Verdict, amount, as_text, wanted
from tests.conftest import REPO

GOOD = "{column: mean_rating, min: 3.2, max: 3.8, severity: warning, why: It is so.}"
HEAD = "relation: quality.profile_ratings\nexpectation: ExpectColumnMaxToBeBetween\n\nchecks:\n"


def suite(folder: Path, *lines: str, head: str = HEAD) -> tuple[Check, ...]:
    (folder / "suite.yml").write_text(head + "".join(f"  - {line}\n" for line in lines))
    return checks.read(folder)


def test_a_line_is_a_check(tmp_path: Path) -> None:
    (check,) = suite(tmp_path, GOOD)
    assert (check.relation, check.expectation) == ("quality.profile_ratings", "ExpectColumnMaxToBeBetween")
    assert (check.column, check.min, check.max, check.severity, check.why) == (
        "mean_rating", 3.2, 3.8, "warning", "It is so.",
    )  # fmt: skip


def test_the_suites_of_the_project_are_good_and_look_at_every_profile() -> None:
    profiles = {name for name in checks.contracts() if name.startswith("quality.")}
    assert profiles <= {check.relation for check in checks.read()}
    assert all(check.why.endswith((".", "?", ")")) for check in checks.read())


def test_an_error_has_a_warning_before_it_or_can_only_stop() -> None:
    warned = {check.subject for check in checks.read() if check.severity == "warning"}
    stops = {check.subject for check in checks.read() if check.severity == "error"}
    assert stops - warned == {"profile_ratings.least_user_id", "profile_tags.share_of_greatest_length"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (GOOD.replace("mean_rating", "mean_ratings"), "quality.profile_ratings has no column `mean_ratings`"),
        (GOOD.replace("warning", "fatal"), "the severity `fatal` is unknown: warning or error"),
        (GOOD.replace("3.2", "4.2"), "the bounds are the wrong way round: min 4.2 is above max 3.8"),
        (GOOD.replace("min: 3.2, max: 3.8, ", ""), "`min`, `max` or both are missing"),
        (GOOD.replace("3.2", "low"), "`min` and `max` are numbers"),
        (GOOD.replace(", why: It is so.", ""), "`why` is missing"),
        (GOOD.replace("}", ", expectation: ExpectColumnToShine}"), "Great Expectations has no `ExpectColumnToShine`"),
        (GOOD.replace("}", ", relation: marts.fact_rating}"), "there is no relation `marts.fact_rating`"),
        (GOOD.replace("}", ", maximum: 4}"), "`maximum` is no part of a check"),
        (GOOD.replace("}", ", when: rating >= 3}"), "`when` names `rating`, which is no column"),
        ("{column: [", "this is no YAML"),
    ],
)
def test_a_wrong_line_is_refused_with_file_and_line(tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(WrongCheck) as refused:
        suite(tmp_path, GOOD, line)
    assert reason in str(refused.value)
    assert str(refused.value).startswith((f"{tmp_path / 'suite.yml'}:6: ", f"{tmp_path / 'suite.yml'}:7: "))


def test_a_file_without_checks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongCheck, match=r"suite.yml:1: a suite has a list of `checks`"):
        suite(tmp_path, head="relation: quality.profile_ratings\n")


def test_the_expectations_that_are_known_are_those_of_great_expectations() -> None:
    known = checks.expectations()
    assert known >= {"ExpectColumnMaxToBeBetween", "ExpectColumnMeanToBeBetween", "UnexpectedRowsExpectation"}
    assert "Expectation" not in known


def test_reading_suites_imports_no_great_expectations() -> None:
    code = (
        "import sys, expectations.gate; expectations.gate.checks.read(); sys.exit('great_expectations' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPO, timeout=60)


def test_numbers_are_written_as_people_write_them() -> None:
    assert amount(0.1333, "rejected_share") == "13.3%"
    assert amount(0.0012, "share_before_1995") == "0.12%"
    assert amount(1234.5, "ratings") == "1,234.5"
    assert wanted(Check("r", "e", "error", "w", "gone_share", max=0.05)) == "at most 5.00%"
    assert wanted(Check("r", "e", "error", "w", "gone_share", max=0)) == "none"
    assert wanted(Check("r", "e", "error", "w", "mean_rating", 3.2, 3.8)) == "3.2 to 3.8"
    assert as_text({"MOVIE_ID": 1, "title": None}) == "movie_id 1, title –"


def test_a_person_reads_the_findings_in_100_columns(capsys: pytest.CaptureFixture[str]) -> None:
    rows = ("movie_id 1, title Toy [Story] (1995)",)
    warned = Finding("warning", "000002", "profile_tags.kept_share", "0.2%", "at least 80.0%", "Dealt anew.")
    failed = Finding(
        "error", "000002", "profile_rating_changes.least_small_month_multiple", "0.5", "at least 0.9", "Why?", rows
    )
    verdict = Verdict(("000002",), 70, (warned, failed), 0.5)
    assert not verdict.passed
    console = Console(width=100)
    for part in verdict.tables():
        console.print(part)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    first = next(line for line in lines if "error" in line)
    for word in ("000002", "profile_rating_changes.least_small_month_multiple", "0.5", "at least 0.9"):
        assert word in first, "one finding, one line"
    assert "      movie_id 1, title Toy [Story] (1995)" in [line.rstrip() for line in lines]
    assert list(Verdict(("000002",), 70, (), 0.5).tables()) == []
