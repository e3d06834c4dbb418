"""The grants of the bootstrap, checked against all that was sent."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from profiles import emulator
from profiles.emulator.privileges import ADMINISTRATORS, Need, Privileges, needs

LOADER, TRANSFORMER, REPORTER, CI = (f"MOVIELENS_{role}" for role in ("LOADER", "TRANSFORMER", "REPORTER", "CI"))
_CHANGES = re.compile(r"\s*(create|drop|grant|alter\s+schema)\b", re.IGNORECASE)
# What a table or view is made of changes neither grants nor owners, and takes long to parse.
_QUERY = re.compile(r"\bas\s*\(?\s*(with|select)\b.*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Act:
    """A statement that a role has sent, and what it needs for it; nothing for an administrator."""

    role: str
    sql: str
    needs: tuple[Need, ...]


def acts(sent: Iterable[Mapping[str, str]]) -> list[Act]:
    """What the roles did, each thing once between two changes of what is there or granted."""
    found, seen = [], set()
    for each in sent:
        role, sql = each["role"], each["sql"]
        wanted = frozenset(() if role in ADMINISTRATORS else needs(sql, emulator.DATABASE, each["warehouse"]))
        if _CHANGES.match(sql):
            seen.clear()
        elif (role, wanted) in seen or not wanted:
            continue
        seen.add((role, wanted))
        found.append(Act(role, _QUERY.sub("as select 1", sql), tuple(wanted)))
    return found


def lacking(done: Iterable[Act], without: Collection[str] = ()) -> Iterator[tuple[str, Need]]:
    """What a role did without being allowed to, where some grants (`without`) are not made."""
    privileges = Privileges(emulator.DATABASE)
    for act in done:
        yield from ((act.role, need) for need in act.needs if not privileges.allows(act.role, need))
        if _CHANGES.match(act.sql) and act.sql not in without:
            privileges.note(act.role, act.sql)


def unused(done: Iterable[Act], bootstrap: Iterable[str]) -> set[tuple[str, Need]]:
    """What the bootstrap grants to the roles that run the pipeline, and none of them has used.

    Of a clone, it is what was granted on the original.
    """
    privileges, used = Privileges(emulator.DATABASE), set()
    for sql in bootstrap:
        privileges.note("SYSADMIN", sql)
    for act in done:
        for need in act.needs:
            need = need.moved(f"{need.schema}", need.schema.replace(".BUILD_", "."))
            used |= {(act.role, need), (act.role, Need(need.what, f"{need.kind}s", need.schema))}
    return {(role, need) for role, need in privileges.grants if role in (LOADER, TRANSFORMER)} - used
