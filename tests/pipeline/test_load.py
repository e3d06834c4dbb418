"""What the load writes beside the values: where each row came from."""

from __future__ import annotations

from tests.pipeline.generated import START
from tests.pipeline.harness import Batch, Lab

LINES = 300_000  # DuckDB reads and scans in pieces of 122,880 rows, each by any of its threads


def test_the_rows_of_a_part_are_numbered_as_its_lines(lab: Lab) -> None:
    dataset = lab.new_dataset()
    ratings = [(1 + line // 1000, 1 + line % 1000, "4.0", line) for line in range(1, LINES + 1)]
    movies = [(1, "One (2001)", "Drama")]
    manifest = lab.manifest(dataset, Batch(START, {"movies": movies, "ratings": ratings}))
    lab.load(manifest)

    assert lab.rows("select count(*), min(_row), max(_row), count(distinct _row) from raw.ratings") == [
        (LINES, 1, LINES, LINES)
    ]
    assert lab.rows("select * from raw.ratings where _row != timestamp limit 3") == []
    assert lab.rows("select distinct _batch_id, _file from raw.ratings") == [
        (manifest.batch_id, manifest.tables["ratings"].parts[0].key)
    ]
