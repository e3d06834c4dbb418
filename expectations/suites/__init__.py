"""All suites, in the order in which they are run."""

from __future__ import annotations

from expectations.measure import Suite
from expectations.suites import (
    changes,
    columns,
    facts,
    genome,
    history,
    ledger,
    links,
    marts,
    movies,
    ratings,
    staging,
    tags,
)

SUITES: tuple[Suite, ...] = (
    *columns.SUITES,
    *ledger.SUITES,
    *ratings.SUITES,
    *movies.SUITES,
    *tags.SUITES,
    *links.SUITES,
    *genome.SUITES,
    *changes.SUITES,
    *staging.SUITES,
    *facts.SUITES,
    *marts.SUITES,
    *history.SUITES,
)
