"""The days of the sample: the instant that each speaks for, and how it ships its tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ingest.schema import TABLES, Mode

FIRST_DAY = datetime(2020, 1, 1, tzinfo=UTC)
DAY_SECONDS = 86_400


def as_of(day: int) -> datetime:
    """The instant (UTC) that day `day` (1 is the first) speaks for; it holds nothing that is later."""
    return FIRST_DAY + timedelta(days=day - 1)


def start_of(day: int) -> int:
    """The second (since 1970) in which `day` begins; it ends with its as-of."""
    return int(as_of(day - 1).timestamp())


def modes(day: int) -> dict[str, Mode]:
    """How each table is shipped: day 1 is a whole release, a later one what changed.

    Tags are all shipped on every second day, as they must be when some were withdrawn.
    """
    usual: Mode = "full" if day == 1 else "delta"
    return {table: "full" if table == "tags" and day % 2 == 0 else usual for table in TABLES}
