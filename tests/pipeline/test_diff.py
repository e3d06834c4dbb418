"""`nox -s diff` says of an edit of the dbt project what it does to the data, and of no other relation anything."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.dbt import PROJECT
from pipeline.diff import diff, keys, relation_names
from pipeline.diff.build import Side, build_anew, build_head, extracted
from pipeline.diff.compare import Relation, compare
from pipeline.diff.report import Diff
from pipeline.report import Report
from profiles.errors import PipelineError
from tests.pipeline.harness import Lab
from tests.pipeline.test_publish import batch

Edit = Callable[[Path], None]


@dataclass(frozen=True)
class Bench:
    """A project that was built, to be compared with others."""

    lab: Lab
    dataset: str
    base: Side

    def diff(self, edit: Edit, folder: Path) -> Diff:
        """What an edit of the project does."""
        project = folder / "project"
        shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
        edit(project)
        report = Report(Console(file=io.StringIO()))
        with self.lab.environment():
            head, differing = build_head(project, self.base, folder / "head", self.lab.store, self.dataset, report)
        names = relation_names(self.base), relation_names(head)
        relations = compare(self.base.file, head.file, names, keys(self.base))
        return diff("main", self.base, head, differing, relations)


@pytest.fixture(scope="module")
def bench(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Three batches, built by the project as it is."""
    dataset, folder = lab.new_dataset(), tmp_path_factory.mktemp("diff")
    for number in (1, 2, 3):
        lab.manifest(dataset, batch(number))
    with lab.environment():
        base = build_anew(PROJECT, folder / "base", lab.store, dataset, Report(Console(file=io.StringIO())))
    return Bench(lab, dataset, base)


def replaced(path: str, old: str, new: str) -> Edit:
    def edit(project: Path) -> None:
        text = (project / path).read_text()
        assert old in text
        (project / path).write_text(text.replace(old, new))

    return edit


def of(found: Diff, name: str) -> Relation:
    (relation,) = (relation for relation in found.relations if relation.name == name)
    return relation


def test_a_comment_changes_no_data(bench: Bench, tmp_path: Path) -> None:
    def edit(project: Path) -> None:
        path = project / "models/marts/rating_distribution.sql"
        path.write_text(path.read_text() + "\n-- a comment\n")

    found = bench.diff(edit, tmp_path)
    assert found.changed == []
    assert list(found.nodes) == ["rating_distribution"]
    assert "No relation, column or row differs." in found.markdown()


def test_another_value_is_shown_by_key_with_what_is_downstream(bench: Bench, tmp_path: Path) -> None:
    def edit(project: Path) -> None:
        path = project / "models/marts/dim_movies.sql"
        path.write_text(f"select * replace (title || '!' as title) from (\n{path.read_text()}\n)")

    found = bench.diff(edit, tmp_path)
    relation = of(found, "marts.dim_movies")
    assert (relation.rows_added, relation.rows_removed, relation.rows_changed) == (0, 0, 3)
    (column,) = relation.columns
    assert (column.name, column.rows) == ("title", 3)
    assert column.examples[0] == ("1", "Movie 1", "Movie 1!")
    assert "movie_ratings" in found.nodes["dim_movies"]
    for text in (found.markdown(), found.html()):
        assert "Movie 1!" in text.replace("\\", "")
        assert "movie_ratings" in text.replace("\\", "")


def test_a_filter_removes_rows_and_names_them(bench: Bench, tmp_path: Path) -> None:
    def edit(project: Path) -> None:
        path = project / "models/marts/dim_users.sql"
        path.write_text(f"select * from (\n{path.read_text()}\n) where user_id <> 3")

    relation = of(bench.diff(edit, tmp_path), "marts.dim_users")
    assert (relation.rows_added, relation.rows_removed, relation.rows_changed) == (0, 1, 0)
    assert relation.removed == ["3"]


def test_a_model_that_goes_and_its_tests_are_told(bench: Bench, tmp_path: Path) -> None:
    def edit(project: Path) -> None:
        for suffix in ("sql", "yml"):
            (project / f"models/marts/rating_distribution.{suffix}").unlink()
        exposures = project / "models/exposures.yml"
        exposures.write_text(exposures.read_text().replace("      - ref('rating_distribution')\n", ""))

    found = bench.diff(edit, tmp_path)
    assert "rating_distribution" in found.nodes
    assert [(relation.name, relation.status) for relation in found.changed] == [
        ("marts.rating_distribution", "removed")
    ]
    assert any("rating_distribution" in name for name in found.tests["removed"])


def test_a_snapshots_column_makes_history_anew_from_all_batches(bench: Bench, tmp_path: Path) -> None:
    edit = replaced("snapshots/snap_movies.sql", "select", "select 1 as added_by_the_edit,")
    found = bench.diff(edit, tmp_path)
    relation = of(found, "snapshots.snap_movies")
    assert relation.columns_added == ["added_by_the_edit INTEGER"]
    assert relation.after == relation.before


def test_rows_without_a_key_are_compared_whole(tmp_path: Path) -> None:
    import duckdb

    for name, rows in (("one", "(1), (1), (2)"), ("other", "(1), (3), (3)")):
        with duckdb.connect(str(tmp_path / name)) as connection:
            connection.execute(f"create schema marts; create table marts.t as from (values {rows}) as v (i)")
    (relation,) = compare(tmp_path / "one", tmp_path / "other", ({"marts.t"}, {"marts.t"}), {"marts.t": [("i",)]})
    assert (relation.key, relation.rows_added, relation.rows_removed) == ((), 2, 2)


def test_text_of_data_is_no_markup(tmp_path: Path) -> None:
    relation = Relation("marts.t", "changed", added=["<script>alert(1)</script> | `x`"])
    found = Diff("main", [relation], {}, {})
    assert "<script>" not in found.html()
    assert "\\<script\\>" in found.markdown()


@pytest.mark.parametrize("ref", ["no-such-ref", "--output=/tmp/x", ""])
def test_a_ref_that_does_not_exist_is_one_clear_error(tmp_path: Path, ref: str) -> None:
    with pytest.raises(PipelineError, match="is no ref"):
        extracted(ref, tmp_path)
