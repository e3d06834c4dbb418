"""Which privileges the common kinds of objects have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.snowflake.check_sql.rules import Finding
from tests.snowflake.check_sql.statements import Statement
from tests.snowflake.check_sql.text import words

# Of the privileges in any line here, those that a kind has; others (create …, monitor, apply …) are not judged.
PRIVILEGES = {
    "table": words("SELECT INSERT UPDATE DELETE TRUNCATE REFERENCES"),
    "view": words("SELECT REFERENCES"),
    "materialized view": words("SELECT REFERENCES"),
    "external table": words("SELECT REFERENCES"),
    "dynamic table": words("SELECT REFERENCES OPERATE"),
    "stream": words("SELECT"),
    "database": words("USAGE"),
    "schema": words("USAGE"),
    "warehouse": words("USAGE OPERATE"),
    "integration": words("USAGE"),
    "file format": words("USAGE"),
    "function": words("USAGE"),
    "procedure": words("USAGE"),
    "sequence": words("USAGE"),
    "stage": words("USAGE READ WRITE"),
    "task": words("OPERATE"),
    "pipe": words("OPERATE"),
}
_JUDGED = frozenset().union(*PRIVILEGES.values())
_GRANT = re.compile(
    r"\s*(grant|revoke)\s+(grant\s+option\s+for\s+)?(?P<what>[\w\s,]+?)\s+on\s+((all|future)\s+)?"
    rf"(?P<kind>{'|'.join(kind.replace(' ', chr(92) + 's+') for kind in PRIVILEGES)})s?\b(?!\s+role\b)",
    re.IGNORECASE,
)


def findings(statement: Statement) -> Iterator[Finding]:
    """The privileges that a grant or a revoke names, and the kind of object does not have."""
    if found := _GRANT.match(statement.code):
        kind = " ".join(found["kind"].lower().split())
        for privilege in re.split(r"\s*,\s*", found["what"].upper()):
            if privilege in _JUDGED - PRIVILEGES[kind]:
                why = f"a {kind} has no such privilege"
                yield Finding("grant", statement.line, f"{privilege.lower()} on {kind}", why=why)
