"""A suite as a file: what it says, and which line is refused; `test_suites.py` is about the suites of the project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from expectations import checks
from expectations.checks import Check
from expectations.verdict import Finding, Verdict, amount, as_text, wanted
from profiles.errors import PipelineError
from tests.conftest import REPO

GOOD = "{column: mean_rating, min_value: 3.2, max_value: 3.8, severity: warning, why: It is so.}"
HEAD = "relation: quality.profile_ratings\nexpectation: ExpectColumnMaxToBeBetween\n\nchecks:\n"


def suite(folder: Path, *lines: str, head: str = HEAD) -> tuple[Check, ...]:
    (folder / "suite.yml").write_text(head + "".join(f"  - {line}\n" for line in lines))
    return checks.read(folder)


def test_a_line_is_a_check(tmp_path: Path) -> None:
    (check,) = suite(tmp_path, GOOD)
    assert (check.relation, check.expectation) == ("quality.profile_ratings", "ExpectColumnMaxToBeBetween")
    assert (check.column, check.min_value, check.max_value, check.severity, check.why) == (
        "mean_rating", 3.2, 3.8, "warning", "It is so.",
    )  # fmt: skip


OTHER = "{relation: raw.ratings, expectation: %s, severity: warning, why: It is so.%s}"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (GOOD.replace("min_value: 3.2, max_value: 3.8, ", ""), "`min_value`, `max_value` or both are missing"),
        (GOOD.replace("3.2", "low"), "`min_value`: Input should be a valid number, not `low`"),
        (GOOD.replace("}", ", maximum: 4}"), "ExpectColumnMaxToBeBetween takes no `maximum`: "),
        (GOOD.replace("}", ", when: rating >= 3}"), "`when` names `rating`, which is no column"),
        (GOOD.replace("}", ", when: 3}"), "`when`: Input should be a valid string, not `3`"),
        (
            GOOD.replace("}", ", relation: marts.fact_ratings, column: rating, when: rating > 3}"),
            "this relation has none",
        ),
        (GOOD.replace("why: It is so.", "why: true"), "`why`: Input should be a valid string, not `True`"),
        (GOOD.replace(", why: It is so.", ""), "`why`: Field required"),
        (GOOD.replace("}", ", notes: It is so.}"), "takes no `notes`"),
        (GOOD.replace("}", ", rows: 'select * from {mart}.dim_users'}"), "`{mart}` is neither {batch} nor a schema"),
        (GOOD.replace("}", ", expectation: ExpectTableRowCountToBeBetween}"), "takes no `column`"),
        (GOOD.replace("column: mean_rating, ", ""), "`column` is missing: a profile is judged by its columns"),
        (OTHER % ("ExpectCompoundColumnsToBeUnique", ", column_list: [user_id, film_id]"), "no column `film_id`"),
        (OTHER % ("UnexpectedRowsExpectation", ""), "needs `unexpected_rows_query`"),
        (OTHER % ("ExpectColumnMaxToBeBetween", ", strict_min: true"), "needs `column`"),
        ("a mean of 3.5", "`a mean of 3.5` is not a check"),
        ("{column: [", "this is not valid YAML"),
    ],
)
def test_a_wrong_line_is_refused_with_file_and_line(tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(PipelineError) as refused:
        suite(tmp_path, GOOD, line)
    assert reason in str(refused.value)
    assert str(refused.value).startswith((f"{tmp_path / 'suite.yml'}:6: ", f"{tmp_path / 'suite.yml'}:7: "))


def test_a_file_without_checks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"suite.yml:1: a suite has a list of `checks`"):
        suite(tmp_path, head="relation: quality.profile_ratings\n")


def test_reading_suites_imports_no_great_expectations() -> None:
    code = (
        "import sys, expectations.gate; expectations.gate.checks.read(); sys.exit('great_expectations' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPO, timeout=60)


def bounds(column: str, **given: float) -> Check:
    return Check(relation="r", expectation="e", severity="error", why="w", column=column, **given)


def test_numbers_are_written_as_people_write_them() -> None:
    assert amount(0.1333, "rejected_share") == "13.3%"
    assert amount(0.0012, "share_before_1995") == "0.12%"
    assert amount(1234.5, "ratings") == "1,234.5"
    assert [amount(seconds, "timestamp") for seconds in (788918400, 10**12)] == ["1995-01-01", "1,000,000,000,000"]
    assert wanted(bounds("gone_share", max_value=0.05)) == "at most 5.00%"
    assert wanted(bounds("gone_share", max_value=0)) == "none"
    assert wanted(bounds("mean_rating", min_value=3.2, max_value=3.8)) == "3.2 to 3.8"
    assert as_text({"MOVIE_ID": 1, "title": None}) == "movie_id 1, title –"


def test_a_person_reads_the_findings_in_100_columns(capsys: pytest.CaptureFixture[str]) -> None:
    rows = ("movie_id 1, title Toy [Story] (1995)",)
    warned = Finding("warning", "000002", "profile_tags.kept_share", "0.2%", "at least 80.0%", "Dealt anew.")
    failed = Finding(
        "error", "000002", "profile_ratings.least_small_month_multiple", "0.5", "at least 0.9", "Why?", rows
    )
    verdict = Verdict(("000002",), 70, (warned, failed), 0.5)
    assert not verdict.passed
    console = Console(width=100)
    for part in verdict.tables():
        console.print(part)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    first = next(line for line in lines if "error" in line)
    for word in ("000002", "profile_ratings.least_small_month_multiple", "0.5", "at least 0.9"):
        assert word in first, "one finding, one line"
    assert "      movie_id 1, title Toy [Story] (1995)" in [line.rstrip() for line in lines]
    assert list(Verdict(("000002",), 70, (), 0.5).tables()) == []
