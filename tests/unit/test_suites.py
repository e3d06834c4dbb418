"""The suites of the project, whatever data they are about: each line is good, and is refused once it is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from expectations import checks
from profiles.errors import PipelineError

# Errors that need no warning beside them: what they look for is there or not, without a degree.
ONLY_STOP = {
    "profile_ratings.least_user_id",
    "profile_tags.share_of_greatest_length",
    "raw.ratings.timestamp (mean)",
    "raw.tags.timestamp (mean)",
}


def test_the_suites_of_the_project_are_good_and_look_at_every_profile() -> None:
    profiles = {name for name in checks.contracts() if name.startswith("quality.")}
    assert profiles <= {check.relation for check in checks.read()}
    assert all(check.why.endswith((".", "?", ")")) for check in checks.read())


def test_an_error_has_a_warning_before_it_or_can_only_stop() -> None:
    warned = {check.subject for check in checks.read() if check.severity == "warning"}
    stops = {check.subject for check in checks.read() if check.severity == "error"}
    assert stops - warned <= ONLY_STOP


WRONG: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "Great Expectations has no": lambda check: {"expectation": f"{check['expectation']}s"},
    "dbt describes no relation": lambda check: {"relation": f"{check['relation']}s"},
    "has no column": lambda check: {"column": f"{check.get('column', 'title')}s"},
    "the wrong way round": lambda check: {
        "min_value": check.get("max_value", 1) + 0.5,
        "max_value": check.get("max_value", 1),
    },
    "takes no `mostly_often`": lambda check: {"mostly_often": 1},
    "Input should be 'warning' or 'error'": lambda check: {"severity": f"{check['severity']}s"},
    "Input should be a valid number": lambda check: {"min_value": "0"},
}


@pytest.mark.parametrize("reason", WRONG)
def test_each_line_of_the_suites_is_refused_once_it_is_wrong(tmp_path: Path, reason: str) -> None:
    lines = [check.model_dump(exclude_none=True) for check in checks.read()]
    for before, line in zip([lines[-1], *lines], lines, strict=False):
        good, wrong = (
            yaml.safe_dump([each], width=10_000, default_flow_style=None)
            for each in (before, {**line, **WRONG[reason](line)})
        )
        (tmp_path / "suite.yml").write_text(f"checks:\n{good}{wrong}")
        checks.read.cache_clear()
        with pytest.raises(PipelineError, match=rf"suite.yml:{good.count(chr(10)) + 2}: .*{reason}"):
            checks.read(tmp_path)
