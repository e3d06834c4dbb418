from __future__ import annotations

import csv
import io
import re

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.lines.reader import readable_line
from ingest.lines.rules import REJECTED_HEADER, as_csv, line_pattern, reason, rejected
from ingest.schema import TABLES

RATINGS, MOVIES, TAGS, LINKS = (TABLES[name] for name in ("ratings", "movies", "tags", "links"))
SCORES = TABLES["genome_scores"]


@pytest.mark.parametrize(
    ("table", "line"),
    [
        *((RATINGS, f"1,2,{rating},0") for rating in ("0.5", "1.0", "4", "04.0", "5", "5.00", "3.50", ".5", '"2.5"')),
        (RATINGS, "2147483647,007,3.5,253402300799"),
        (RATINGS, '"1","2","3.5","964982703"'),
        (MOVIES, "1,Toy Story (1995),Adventure|Children"),
        (MOVIES, '1,"One, ""Two"" and \\ three","(no genres listed)"'),
        (MOVIES, "1,,"),
        (MOVIES, '1,"",'),
        (MOVIES, "1, Blanks\u00a0\u200b\t \u2028,é\U0001f600"),
        (TAGS, "1,2, ,3"),
        (LINKS, "1,0114709,862"),
        (LINKS, "1,,"),
        *((SCORES, f"1,2,{relevance}") for relevance in ("0", "1", "0.02500000000000001", "1e-05", "9.5E-7")),
        *((SCORES, f"1,2,{relevance}") for relevance in ("1.0", "0.0", ".5", "1.000e+00", "0.0e0", "5.000000e-01")),
    ],
)
def test_a_line_of_the_domain_is_accepted(table, line):
    assert reason(table, line) is None
    assert re.fullmatch(line_pattern(table), line)


@pytest.mark.parametrize(
    ("table", "line", "why"),
    [
        *(
            (RATINGS, f"1,2,{rating},0", f"rating {rating!r} is not a half star from 0.5 to 5.0")
            for rating in (
                "7",
                "abc",
                "3.25",
                "4.04",
                "4.0000001",
                "NaN",
                "inf",
                "1e0",
                "0",
                "0.0",
                "5.5",
                "-1",
                "",
                "4.",
            )
        ),
        *(
            (RATINGS, f"{user},2,3.5,0", f"userId {user!r} is not an integer from 1 to 2147483647")
            for user in (
                "0",
                "-1",
                "1.0",
                "+1",
                " 1",
                "1 ",
                "1e3",
                "0x10",
                "1_000",
                "2147483648",
                "9" * 30,
                "",
                "٣",
                "x",
            )
        ),
        (RATINGS, "1,2,3.5,-1", "timestamp '-1' is not seconds since 1970"),
        (RATINGS, "1,2,3.5,253402300800", "timestamp '253402300800' is not seconds since 1970"),
        (RATINGS, "1,2,3.5", "3 fields instead of 4"),
        (RATINGS, "1,2,3.5,4,5", "5 fields instead of 4"),
        (RATINGS, "x", "1 field instead of 4"),
        (RATINGS, '"1,2,3.5,4', "an unbalanced quote in field 1"),
        (MOVIES, '1,a "stray" quote,x', "a stray quote in field 2"),
        (MOVIES, '1,"closed" too early,x', "a stray quote in field 2"),
        (MOVIES, '1, "blank before",x', "a stray quote in field 2"),
        (MOVIES, "1,Comma, unquoted,x", "4 fields instead of 3"),
        (LINKS, "1,tt0114709,862", "imdbId 'tt0114709' is not empty or digits only"),
        (LINKS, "1,0114709,862.0", "tmdbId '862.0' is not empty or an integer"),
        *(
            (SCORES, f"1,2,{relevance}", "is not a number from 0 to 1")
            for relevance in ("1.0001", "-0.1", "nan", "", "2e-0")
        ),
    ],
)
def test_a_line_outside_the_domain_is_rejected_with_the_reason(table, line, why):
    assert why in (reason(table, line) or "")
    assert not re.fullmatch(line_pattern(table), line)


def test_an_unreadable_line_keeps_its_bytes_in_sight():
    assert rejected(MOVIES, 7, readable_line(b"1,caf\xe9,x").decode()).raw_line == "1,caf\\xe9,x"
    assert "not valid UTF-8: byte 0xe9" in rejected(MOVIES, 7, readable_line(b"1,caf\xe9,x").decode()).where
    assert rejected(MOVIES, 7, readable_line(b"1,\0,x").decode()).raw_line == "1,\\x00,x"
    assert rejected(MOVIES, 7, readable_line(b"1,a\rb,x").decode()).raw_line == "1,a\\rb,x"


def test_rejected_lines_survive_the_report_verbatim():
    lines = ['1,"a', 'x"",\\', " ", ",,,", "é\u2028"]
    records = [rejected(RATINGS, number, line) for number, line in enumerate(lines, 2)]
    read = list(csv.DictReader(io.StringIO(as_csv(records).decode(), newline=""), REJECTED_HEADER))
    assert [row["raw_line"] for row in read] == lines
    assert {row["file"] for row in read} == {"ratings.csv"}


near_misses = st.text(alphabet='0159.,"-+eE \\x\té', max_size=25)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(list(TABLES.values())), st.lists(near_misses, min_size=1, max_size=20))
@example(MOVIES, ['1,"a""",b', '1,"",', '1,""",'])
def test_one_line_in_python_and_all_lines_in_duckdb_are_judged_alike(table, lines):
    lines = [f"1,{line}" for line in lines] + lines
    literals = ", ".join(f"('{line}')" for line in lines)
    judged = CONNECTION.execute(
        f"select regexp_full_match(line, '{line_pattern(table)}') from (values {literals}) as t(line)"
    ).fetchall()
    assert [verdict for (verdict,) in judged] == [reason(table, line) is None for line in lines]


CONNECTION = duckdb.connect()
