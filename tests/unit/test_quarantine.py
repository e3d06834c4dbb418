from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.lines.judge import bad_rows
from ingest.lines.quarantine import Rejected, as_csv
from ingest.lines.reader import Lines
from ingest.lines.rules import line_pattern, reason
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
    for at in range(len(line) + 1):  # many lines are matched at once
        assert not re.fullmatch(line_pattern(table), f"{line[:at]}\n{line[at:]}")


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


@pytest.mark.parametrize(
    ("line", "shown", "why"),
    [
        (b"1,caf\xe9,x", "1,caf\\xe9,x", "not valid UTF-8: byte 0xe9, shown as \\xe9"),
        (b"1,\0,x", "1,\\x00,x", "a NUL byte, shown as \\x00"),
        (b"1,a\rb,x", "1,a\\rb,x", "a carriage return inside the line, shown as \\r"),
        (b"\x01,a,b", "\x01,a,b", "movieId '\\x01' is not an integer from 1 to 2147483647"),
    ],
)
def test_an_unreadable_line_keeps_its_bytes_in_sight(line, shown, why):
    lines = Lines(io.BytesIO(f"{MOVIES.header}\n".encode() + line + b"\n"), MOVIES, lambda _: None)
    [block] = lines.blocks()
    assert lines.shown(block.source.removesuffix(b"\n")) == shown
    assert list(bad_rows(MOVIES, block.csv)) == [0]
    assert lines.reason(line) == why


def test_rejected_lines_survive_the_report_verbatim():
    lines = ['1,"a', 'x"",\\', " ", ",,,", "é\u2028"]
    records = [Rejected("ratings", "ratings.csv", number, "why", line) for number, line in enumerate(lines, 2)]
    read = list(csv.DictReader(io.StringIO(as_csv(records).decode(), newline=""), Rejected._fields))
    assert [row["raw_line"] for row in read] == lines
    assert {row["file"] for row in read} == {"ratings.csv"}


near_misses = st.text(alphabet='0159.,"-+eE \\x\té', max_size=25)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(list(TABLES.values())), st.lists(near_misses, min_size=1, max_size=20))
@example(MOVIES, ['1,"a""",b', '1,"",', '1,""",'])
def test_one_line_and_many_lines_are_judged_alike(table, lines):
    lines = [f"1,{line}" for line in lines] + lines
    good = [reason(table, line) is None for line in lines]
    bad = bad_rows(table, "".join(f"{line}\n" for line in lines).encode())
    assert [row not in bad for row in range(len(lines))] == good
    assert [re.fullmatch(line_pattern(table), line) is not None for line in lines] == good
