"""The check catches what Snowflake refuses, and passes what its documentation shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sqlglot", reason="the check has its parsers in the emulator's environment")

from tests.snowflake.check_sql.check import check
from tests.snowflake.check_sql.portable import DIFFERENCES, differences
from tests.snowflake.check_sql.rules import RULES

ROOT = Path(__file__).parents[2]


def cases(name: str) -> dict[str, list[str]]:
    """The statements of a file beside this one, by rule: one a line, and an indented line goes on with it."""
    found: dict[str, list[str]] = {}
    for line in Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()[1:]:
        if line.startswith("-- "):
            found[line.removeprefix("-- ")] = statements = []
        elif line.startswith("    "):
            statements[-1] += "\n" + line.removeprefix("    ")
        elif line:
            statements.append(line)
    return found


REFUSED, TAKEN = cases("refused.sql"), cases("taken.sql")
REFUSED["copy-limit"].append(f"copy into t from @s files = ({', '.join(repr(str(number)) for number in range(1001))})")
# By difference: what both engines take and read differently, and the form that both read alike.
DIFFERENT = {
    "backslash": ("select 'a\\nb'", "select 'a/b'"),
    "quoted-name": ('select "movie_id" from t', "select movie_id from t"),
    "order-of-nulls": ("select a from t order by a desc", "select a from t order by a desc nulls last"),
    "order-of-listagg": ("select listagg(a, '|') from t", "select listagg(a, '|') within group (order by a) from t"),
    "division": ("select a / b from t", "select a / nullif(b, 0), a / 2, a / cast(nullif(b, 0) as double) from t"),
    "now": ("select current_timestamp", "select sysdate(), convert_timezone('UTC', current_timestamp())"),
    "week": ("select date_trunc('week', a) from t", "select dayofweekiso(a) from t"),
    "timestamp": ("select a::timestamp from t", "select a::timestamp_ntz, b::datetime from t"),
    "epoch": ("select extract('epoch' from d) from t", "select date_part('epoch_microsecond', d) from t"),
    "array": ("select [1, 2]", "select array_construct(1, 2)"),
    "nulls": (
        "select greatest(a, nullif(b, 0)) from t",
        "select least(a, coalesce(nullif(b, 0), 0)), greatest(a, b), coalesce(a, '') || b, concat('x', coalesce(a, '')) from t",
    ),
    "text-of-time": ("select md5(cast(seen_at as varchar)) from seen", "select to_char(seen_at, 'YYYY') from seen"),
}


@pytest.mark.parametrize(("rule", "sql"), [(rule, sql) for rule, statements in REFUSED.items() for sql in statements])
def test_what_snowflake_refuses_is_caught(rule: str, sql: str) -> None:
    assert rule in {found.rule for found in check(sql)}


@pytest.mark.parametrize("sql", [sql for statements in TAKEN.values() for sql in statements])
def test_what_snowflake_takes_passes(sql: str) -> None:
    assert [str(found) for found in check(sql)] == []


def test_every_rule_has_a_case_a_near_miss_a_cure_and_a_page() -> None:
    assert set(REFUSED) == set(TAKEN) - {"others"} == set(RULES)
    assert (
        all(REFUSED.values())
        and all(TAKEN.values())
        and all(rule.reason and rule.cure and rule.source for rule in RULES.values())
    )


@pytest.mark.parametrize("rule", DIFFERENCES)
def test_what_the_engines_read_differently_is_caught_and_what_they_read_alike_passes(rule: str) -> None:
    known = {"seen": {"seen_at": "timestampntz"}}
    different, alike = DIFFERENT[rule]
    assert f"[{rule}]" in " ".join(differences(different, known))
    assert list(differences(alike, known)) == []


@pytest.mark.parametrize(
    "argument",
    ["try_cast(b as int)", "cast(lag(b) over (order by c) as int)", "case when b then 1 end", "(select max(b) from u)"],
)
def test_what_may_be_null_by_its_form_makes_the_greatest_null_on_one_engine(argument: str) -> None:
    assert "[nulls]" in " ".join(differences(f"select greatest(a, {argument}) from t"))
    assert list(differences(f"select greatest(a, coalesce({argument}, 0)) from t")) == []


@pytest.mark.parametrize("text", ["concat(a, b)", "concat_ws('-', coalesce(a, ''), b)"])
def test_a_concatenation_of_columns_is_null_with_one_of_them_on_one_engine(text: str) -> None:
    assert "[nulls]" in " ".join(differences(f"select {text} from t"))


def test_a_column_is_looked_for_in_the_relations_that_are_known() -> None:
    known = {"movies": {"movie_id": "int", "title": "varchar"}, "ratings": {"movie_id": "int", "is_good": "boolean"}}
    joined = "select {} from movies inner join ratings on movies.movie_id = ratings.movie_id"
    found = {column: {each.rule for each in check(joined.format(column), known=known)} for column in (
        "title", "movie_id", "tittle", "sum(is_good)", "try_cast(ratings.movie_id as varchar)"
    )}  # fmt: skip
    assert found == {
        "title": set(),
        "movie_id": {"name"},
        "tittle": {"name"},
        "sum(is_good)": {"operand"},
        "try_cast(ratings.movie_id as varchar)": {"operand"},
    }


def test_a_finding_names_its_file_its_line_and_a_cure() -> None:
    (found,) = check("select\n    a,\n    strptime(b, '%Y') as c\nfrom t\n", "model.sql")
    assert str(found).startswith("model.sql:3: [function] strptime(): Snowflake has no such function. Instead: ")


def test_the_command_looks_into_folders_and_fails_on_a_doubt(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "good.sql").write_text("select 1;\nselect 2")
    (tmp_path / "folder" / "bad.sql").write_text("select 1;\n\nselect epoch(a)\nfrom t;")
    (tmp_path / "folder" / "LATIN.SQL").write_bytes("select 'é'".encode("latin-1"))
    (tmp_path / "folder" / "named_like_one.sql").mkdir()
    (tmp_path / "folder" / "gone.sql").symlink_to(tmp_path / "nothing")
    (tmp_path / "sent.jsonl").write_text('{"sql": "select 1"}\nno record')
    (tmp_path / "page.md").write_text("```SQL title='a'\nselect epoch(a)\n```\n~~~ sql\nselect epoch(b)\n~~~\n")
    command = [sys.executable, "-m", "tests.snowflake.check_sql"]
    good = subprocess.run([*command, tmp_path / "good.sql"], cwd=ROOT, capture_output=True, text=True, check=False)
    named = [tmp_path / "sent.jsonl", tmp_path / "page.md"]
    bad = subprocess.run([*command, tmp_path, *named], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (good.returncode, bad.returncode) == (0, 1)
    assert f"{tmp_path / 'folder' / 'bad.sql'}:3: [function] epoch()" in bad.stdout
    assert f"{tmp_path / 'folder' / 'LATIN.SQL'}:1: [syntax] the file: it is not UTF-8" in bad.stdout
    assert f"{tmp_path / 'sent.jsonl'}:1: [syntax] the file: it is no record" in bad.stdout
    assert bad.stdout.count(f"{tmp_path / 'page.md'}:1: [function] epoch()") == 2


def test_the_queries_of_the_documentation_are_checked(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "production.md").read_text(encoding="utf-8")
    (tmp_path / "page.md").write_text(page.replace("try_parse_json", "json_extract", 1))
    command = [sys.executable, "-m", "tests.snowflake.check_sql"]
    found = [
        subprocess.run([*command, path], cwd=ROOT, capture_output=True, text=True, check=False)
        for path in ("docs/production.md", tmp_path / "page.md")
    ]
    assert [each.returncode for each in found] == [0, 1], found[0].stdout
    assert "json_extract()" in found[1].stdout


def test_a_path_that_holds_no_sql_is_said() -> None:
    command = [sys.executable, "-m", "tests.snowflake.check_sql", "no/such/folder"]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "no/such/folder" in refused.stderr and "Traceback" not in refused.stderr
