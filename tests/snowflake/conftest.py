"""What the files of the Snowflake side share."""

from __future__ import annotations

import pytest

from tests.conftest import Shared


@pytest.fixture(scope="session")
def grammar(shared: Shared) -> None:
    """What check-sql has found grammatical for one file's statements, it need not parse for another's."""
    from tests.snowflake.check_sql import check

    check.taken = shared("grammar", lambda _: None)
