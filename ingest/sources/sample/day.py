"""What a day of the sample is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ingest.errors import SourceError
from ingest.schema import Mode

FIRST_DAY = datetime(2020, 1, 1, tzinfo=UTC)
DAY_SECONDS = 86_400


@dataclass(frozen=True)
class SampleDay:
    """A generated day: `as_of`, the instant (UTC) it speaks for; `modes`, `full` or `delta`, of the tables it has."""

    as_of: datetime
    modes: dict[str, Mode]


def as_of(day: int) -> datetime:
    """The instant (UTC) that day `day` (1 is the first) speaks for; it holds nothing that is later."""
    if day < 1:
        raise SourceError(f"there is no day {day}: days of the sample start with 1")
    return FIRST_DAY + timedelta(days=day - 1)


def seconds(moment: datetime) -> int:
    """Seconds since 1970, UTC."""
    return int(moment.timestamp())
