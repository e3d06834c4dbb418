"""All suites, in the order in which they are run."""

from __future__ import annotations

from expectations.measure import Suite
from expectations.suites import (
    columns,
    facts,
    facts_of_tags,
    genome,
    history,
    ledger,
    links,
    mart_movies,
    mart_users,
    movie_changes,
    movies,
    rating_changes,
    rating_keys,
    ratings,
    staging,
    tag_changes,
    tags,
)

SUITES: tuple[Suite, ...] = (
    *columns.SUITES,
    *ledger.SUITES,
    *ratings.SUITES,
    *rating_keys.SUITES,
    *movies.SUITES,
    *tags.SUITES,
    *links.SUITES,
    *genome.SUITES,
    *rating_changes.SUITES,
    *movie_changes.SUITES,
    *tag_changes.SUITES,
    *staging.SUITES,
    *facts.SUITES,
    *facts_of_tags.SUITES,
    *mart_movies.SUITES,
    *mart_users.SUITES,
    *history.SUITES,
)
