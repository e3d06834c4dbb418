"""`nox -s diff` says of an edit of the dbt project what it does to the data, and of no other relation anything."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from pipeline.dbt import PROJECT, Dbt
from pipeline.diff import diff, keys
from pipeline.diff.build import Side, build_anew, build_head, extracted
from pipeline.diff.compare import Relation, compare
from pipeline.diff.findings import Diff
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
        names = set(self.base.relations.values()), set(head.relations.values())
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


def wrapped(path: str, before: str, after: str) -> Edit:
    return lambda project: (project / path).write_text(f"{before}\n{(project / path).read_text()}\n{after}\n") and None


def both(*edits: Edit) -> Edit:
    def edit(project: Path) -> None:
        for each in edits:
            each(project)

    return edit


def without_rating_distribution(project: Path) -> None:
    for suffix in ("sql", "yml"):
        (project / f"models/marts/rating_distribution.{suffix}").unlink()
    (project / "tests/summaries_add_up_to_the_ratings.sql").unlink()


MARTS, SHARES = "models/marts", "models/marts/rating_distribution"
# An edit; the relations that differ; and lines that a person must read.
PLANTED: dict[str, tuple[Edit, list[str], list[str]]] = {
    "a comment": (
        wrapped(f"{SHARES}.sql", "", "-- a comment"),
        [],
        ["No relation, column or row differs.", "- rating\\_distribution"],
    ),
    "a value": (
        wrapped(f"{MARTS}/dim_movies.sql", "select * replace (title || '!' as title) from (", ")"),
        ["marts.dim_movies", "marts.movie_ratings"],
        [
            "| marts.dim\\_movies | changed | 3 | 3 | 0 | 0 | 3 |",
            "- title differs in 3 rows",
            "  - 1: Movie 1 → Movie 1!",
            "- dim\\_movies",
            "  - movie\\_ratings",
        ],
    ),
    "a filter": (
        wrapped(f"{MARTS}/dim_users.sql", "select * from (", ") where user_id <> 3"),
        ["marts.dim_users"],
        ["| marts.dim\\_users | changed | 3 | 2 | 0 | 1 | 0 |", "- row removed: 3"],
    ),
    "a type": (
        both(
            replaced(f"{SHARES}.sql", "0) as integer)", "0) as bigint)"),
            replaced(f"{SHARES}.yml", "rating_count\n        data_type: integer", "rating_count\n        data_type: bigint"),
        ),
        ["marts.rating_distribution"],
        ["| marts.rating\\_distribution | changed | 10 | 10 | 0 | 0 | 0 |", "- type of rating\\_count: INTEGER is now BIGINT"],
    ),
    "a renamed column": (
        both(
            replaced(f"{SHARES}.sql", "scale.label", "scale.label as in_a_word"),
            replaced(f"{SHARES}.yml", "name: label", "name: in_a_word"),
        ),
        ["marts.rating_distribution"],
        ["- column added: in\\_a\\_word VARCHAR", "- column removed: label VARCHAR"],
    ),
    "a changed grain": (
        both(
            replaced(f"{SHARES}.sql", "group by rating", "group by rating, user_id"),
            replaced(f"{SHARES}.yml", "        data_tests:\n          - unique\n", ""),
        ),
        ["marts.rating_distribution"],
        [
            "| marts.rating\\_distribution | changed | 10 | 12 | 3 | 1 | 0 |",
            "- row added: 4.0, very good, 1, 0.1667",
            "- row removed: 4.0, very good, 6, 1.0000",
        ],
    ),
    "a macro": (
        replaced("macros/cross_db/mean.sql", "* 0.0001", "* 0.0002"),
        ["marts.genre_ratings_by_month", "marts.movie_ratings", "marts.rating_distribution", "marts.user_activity"],
        ["- share differs in 1 rows", "  - 4.0: 1.0000 → 2.0000", "- rating\\_mean differs in 3 rows"],
    ),
    "a variable": (
        replaced("dbt_project.yml", "bayesian_prior_ratings: 50", "bayesian_prior_ratings: 1 + 1"),
        ["marts.genre_ratings_by_month", "marts.movie_ratings"],
        ["- bayesian\\_score differs in 3 rows"],
    ),
    "a macro of the load": (
        replaced("macros/load/read_parts.sql", "nullstr = ''", "nullstr = 'Movie 1 (2001)'"),
        [
            *("intermediate.int_movies", "marts.dim_movies", "marts.dim_movies_history", "marts.movie_ratings"),
            *("quality.profile_movies", "snapshots.snap_movies"),
        ],
        ["- title differs in 1 rows"],
    ),
    "a macro of dbt's": (
        replaced("macros/dbt_overrides/snapshot_get_time.sql", "max(effective_at)", "max(effective_at) + interval '10' day"),
        ["marts.dim_movies_history", "snapshots.snap_movies"],
        ["- row removed: 1, 2015-01-02 00:00:00"],
    ),
    "a seed": (
        replaced("seeds/rating_scale.csv", "very good", "great"),
        ["marts.rating_distribution", "seeds.rating_scale"],
        ["### seeds.rating\\_scale, by rating", "- label differs in 1 rows", "  - 4.0: very good → great"],
    ),
    "a snapshot's column": (
        replaced("snapshots/snap_movies.sql", "select", "select 1 as added_by_the_edit,"),
        ["snapshots.snap_movies"],
        ["- column added: added\\_by\\_the\\_edit INTEGER", "| snapshots.snap\\_movies | changed | 3 | 3 | 0 | 0 | 0 |"],
    ),
    "a deleted model": (
        both(without_rating_distribution, replaced("models/exposures.yml", "      - ref('rating_distribution')\n", "")),
        ["marts.rating_distribution"],
        [
            "| marts.rating\\_distribution | removed | – | – | 0 | 0 | 0 |",
            "### Tests removed",
            "- summaries\\_add\\_up\\_to\\_the\\_ratings",
            "- unique\\_rating\\_distribution\\_rating",
        ],
    ),
    "a test": (
        both(
            replaced("tests/the_calendar_has_no_gap.sql", "select", "select  "),
            replaced(f"{MARTS}/dim_genres.yml", "movie_count: 2", "movie_count: 3"),
            replaced(f"{SHARES}.yml", "          - unique\n", "          - not_null\n"),
        ),
        [],
        [
            "No relation, column or row differs.",
            "### Tests added\n\n- not\\_null\\_rating\\_distribution\\_rating",
            "### Tests changed\n\n- the\\_calendar\\_has\\_no\\_gap\n- a\\_genre\\_list\\_is\\_split\\_and\\_each\\_genre\\_counted\\_once",
            "### Tests removed\n\n- unique\\_rating\\_distribution\\_rating",
        ],
    ),
}  # fmt: skip


# Edits that touch other relations, or other columns of one: a project takes seconds to build.
AT_ONCE = ("a value", "a filter", "a type", "a renamed column")


@pytest.mark.parametrize("kinds", [AT_ONCE, *((kind,) for kind in PLANTED if kind not in AT_ONCE)], ids=", ".join)
def test_what_planted_edits_do_is_said_and_nothing_else(bench: Bench, tmp_path: Path, kinds: tuple[str, ...]) -> None:
    edits, changed, lines = zip(*(PLANTED[kind] for kind in kinds), strict=True)
    found = bench.diff(both(*edits), tmp_path)
    assert [relation.name for relation in found.changed] == sorted({*chain(*changed)})
    text = f"\n{found.markdown()}\n"
    assert [line for line in chain(*lines) if f"\n{line}\n" not in text] == [], text
    page = found.html()
    assert all(relation in page for relation in chain(*changed))


def test_rows_without_a_key_are_compared_whole(tmp_path: Path) -> None:
    import duckdb

    for name, rows in (("one", "(1), (1), (2)"), ("other", "(1), (3), (3)")):
        with duckdb.connect(str(tmp_path / name)) as connection:
            connection.execute(f"create schema marts; create table marts.t as from (values {rows}) as v (i)")
    (relation,) = compare(tmp_path / "one", tmp_path / "other", ({"marts.t"}, {"marts.t"}), {"marts.t": [("i",)]})
    assert (relation.key, relation.rows_added, relation.rows_removed) == ((), 2, 2)


def test_a_relation_whose_every_column_is_renamed_has_no_rows_to_compare(tmp_path: Path) -> None:
    import duckdb

    for name in ("one", "other"):
        with duckdb.connect(str(tmp_path / name)) as connection:
            connection.execute(f"create schema marts; create table marts.t as select 1 as {name}")
    (relation,) = compare(tmp_path / "one", tmp_path / "other", ({"marts.t"}, {"marts.t"}), {"marts.t": [("one",)]})
    assert [finding for finding, _ in relation.findings] == [
        "column removed: one INTEGER",
        "column added: other INTEGER",
    ]
    assert (relation.before, relation.after, relation.rows_added) == (1, 1, 0)


@pytest.mark.parametrize("keys", [[("k",)], []])
def test_a_float_differs_by_more_than_the_order_of_its_sum(tmp_path: Path, keys: list[tuple[str, ...]]) -> None:
    import duckdb

    for name, rows in (
        ("one", "(1, 0.1 + 0.2), (2, 0.5), (3, -7e-18)"),
        ("other", "(1, 0.3), (2, 0.50001), (3, 6e-18)"),
    ):
        with duckdb.connect(str(tmp_path / name)) as connection:
            connection.execute("create schema marts")
            connection.execute(f"create table marts.t as select k, f::double as f from (values {rows}) as v (k, f)")
            connection.execute("update marts.t set f = f + 1e-16 where k = 1")
    (relation,) = compare(tmp_path / "one", tmp_path / "other", ({"marts.t"}, {"marts.t"}), {"marts.t": keys})
    assert (relation.rows_changed, relation.rows_added) == ((1, 0) if keys else (0, 1))


def test_text_of_data_is_no_markup(tmp_path: Path) -> None:
    relation = Relation("marts.t", "changed", findings=[("<script>alert(1)</script> | `x`", [])])
    found = Diff("main", [relation], {}, {})
    assert "<script>" not in found.html()
    assert "\\<script\\>" in found.markdown()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; | `x`" in found.html()


@pytest.mark.parametrize("command", [Dbt.manifest, Dbt.make_views, lambda dbt: dbt.listed("*")])
def test_ctrl_c_while_dbt_reads_the_project_ends_the_run(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, command: Callable[[Dbt], object]
) -> None:
    caught = SimpleNamespace(success=False, result=None, exception=KeyboardInterrupt())
    monkeypatch.setattr(Dbt, "_answer", lambda *_: caught)
    with lab.environment(), pytest.raises(KeyboardInterrupt):
        command(Dbt("dev"))


@pytest.mark.parametrize("ref", ["no-such-ref", "--output=/tmp/x", ""])
def test_a_ref_that_does_not_exist_is_one_clear_error(tmp_path: Path, ref: str) -> None:
    with pytest.raises(PipelineError, match="is not a git ref"):
        extracted(ref, tmp_path)
