"""docs/your-own-data.md, followed to the letter in a copy of the project, gives the pipeline that it promises."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import yaml

from tests.conftest import REPO

PAGE = REPO / "docs" / "your-own-data.md"
# A block of code, and before it, where people see it, its file: all of it, or from one line to another.
BLOCK = re.compile(
    r"(?:^`([\w/.-]+)`(?:, from `(.+)` to the (?:end|line before `(.+)`))?:\n)?^```(\w+)( run)?\n((?:.*\n)*?)```$",
    re.MULTILINE,
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project after all steps of the page; its data folder is `data`."""
    copy = tmp_path_factory.mktemp("shop")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, capture_output=True, check=True).stdout
    subprocess.run(["tar", "--null", "-T-", "-cf", copy / "all.tar"], cwd=REPO, input=listed, check=True)
    subprocess.run(
        "tar -xf all.tar && git init -q && git add . && git -c user.name=a -c user.email=a commit -qm copy",
        shell=True,
        cwd=copy,
        check=True,
    )
    (copy / "data").mkdir()
    (copy / "data" / "warehouse.duckdb").write_text("the sample's, which is in the way")
    project = copy / "transform" / "dbt_project.yml"  # the one step that is in words alone
    project.write_text(project.read_text().partition("seeds:\n")[0])
    for path, first, last, kind, is_run, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if is_run:
            _run(copy, shlex.split(text.removeprefix("nox -s")))
        elif kind == "sh":
            subprocess.run(text, shell=True, executable="/bin/bash", cwd=copy, check=True)
        elif kind == "diff":
            _change(copy, text)
        else:
            _write(copy / path, first, last, text)
    return copy


def _run(copy: Path, command: list[str]) -> None:
    """What nox does, in the environment of these tests."""
    job, _, *options = command
    _python(copy, "pipeline", job, *options)


def _python(copy: Path, *module: str) -> None:
    """Runs a module in the copy; it must succeed."""
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(("MOVIELENS_", "DBT_", "S3_", "AWS_"))
    }
    environment = {**own, "MOVIELENS_DATA_DIR": str(copy / "data"), "PYTHONPATH": str(copy)}
    done = subprocess.run([sys.executable, "-m", *module], cwd=copy, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def _write(file: Path, first: str, last: str, text: str) -> None:
    """A file of its own, or what takes the place of the lines from `first` to `last`, or to the end."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if first:
        old = file.read_text(encoding="utf-8")
        start = old.rindex("\n", 0, old.index(first)) + 1
        text = old[:start] + text + (old[old.rindex("\n", 0, old.index(last)) + 1 :] if last else "")
    file.write_text(text, encoding="utf-8")


def _change(copy: Path, diff: str) -> None:
    """Each hunk of a diff: what goes stands in the file once, and what comes takes its place."""
    for file in re.split(r"^--- .*\n", diff, flags=re.MULTILINE)[1:]:
        name, *hunks = re.split(r"^@@\n", file.removeprefix("+++ b/"), flags=re.MULTILINE)
        path = copy / name.strip()
        for hunk in hunks:
            old, new = (
                "".join(line[1:] for line in hunk.splitlines(keepends=True) if line[0] in signs).rstrip("\n")
                for signs in (" -", " +")
            )
            text = path.read_text(encoding="utf-8")
            assert text.count(old) == 1, old
            path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_page_ends_in_the_pipeline_that_it_promises(shop: Path) -> None:
    with duckdb.connect(str(shop / "data" / "warehouse.duckdb"), read_only=True) as warehouse:

        def rows(sql: str) -> list[tuple[object, ...]]:
            return warehouse.execute(sql).fetchall()

        assert rows("select file, line, raw_line from raw.rejected_rows") == [("sales.csv", 5, "4,3,twelve,1735736400")]
        assert rows("select sale_id, amount::varchar from marts.fact_sales order by 1") == [
            (1, "12.50"), (2, "3.90"), (3, "8.00"), (4, "12.00"), (5, "7.00"),
        ]  # fmt: skip
        assert rows("select shop_id from marts.dim_shops where is_inferred") == [(9,)]
        assert rows("select name from snapshots.snap_shops where shop_id = 3 order by valid_from") == [
            ("West",), ("West End",),
        ]  # fmt: skip
        assert rows("select sales, round(mean_amount, 2) from quality.profile_sales order by _batch") == [
            (3, 7.9),
            (3, 7.63),
        ]


def test_a_third_run_and_a_rebuild_change_nothing(shop: Path) -> None:
    _run(shop, ["dev", "--", "shop", "--source", "day-2", "--mode", "delta", "--as-of", "2025-01-02"])
    _run(shop, ["dev", "--", "shop", "--rebuild"])


def test_the_unit_tests_that_stay_pass(shop: Path) -> None:
    _python(shop, "pytest", "-q", "-p", "no:cacheprovider", "tests/unit")


def test_every_model_and_snapshot_is_described_as_lint_wants_it(shop: Path) -> None:
    """dbt-bouncer itself is in the environment of lint."""
    described: dict[str, list[str | None]] = {}
    for path in (shop / "transform").rglob("*.yml"):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for node in (*content.get("models", {}), *content.get("snapshots", {})):
            if isinstance(node, dict):
                described[node["name"]] = [part.get("description") for part in (node, *node["columns"])]
    files = [*(shop / "transform" / "models").rglob("*.sql"), *(shop / "transform" / "snapshots").rglob("*.sql")]
    assert {path.stem for path in files} == set(described)
    assert [name for name, texts in described.items() if not all(texts)] == []
