"""A session as Snowflake would hold it: fakesnow's cursor, connection and account, with what they lack."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from string import Template
from typing import Any

import duckdb
import snowflake.connector.errors as errors
from fakesnow import cursor, dialect, info_schema, macros, server
from fakesnow.conn import FakeSnowflakeConnection
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.instance import GLOBAL_DATABASE_NAME, FakeSnow
from fakesnow.transforms import show
from sqlglot import Expr, exp, parse_one

from profiles.emulator import DATABASE, RECORD, copying, rewrites, schemas
from profiles.emulator.privileges import Privileges, parsed

SET_PARAMETER = re.compile(r"\s*alter\s+session\s+set\s+(\w+)\s*=\s*'((?:[^']|'')*)'", re.IGNORECASE)
UNSET_PARAMETER = re.compile(r"\s*alter\s+session\s+unset\s+(\w+)", re.IGNORECASE)
SHOW_PARAMETER = re.compile(r"\s*show\s+parameters\s+like\s+'(\w+)'\s+in\s+session\b", re.IGNORECASE)
USE_ROLE = re.compile(r"\s*use\s+role\s+\"?(\w+)", re.IGNORECASE)
SHOW_GRANTS = re.compile(r"\s*show\s+grants\s+on\b", re.IGNORECASE)
# DuckDB's database files hold what stands for a stage or a file format: to alter it is to write it anew.
ALTER_IN_PLACE = re.compile(r"\s*alter\s+(stage|file\s+format)\s+(\S+)\s+set\b", re.IGNORECASE)
NO_GRANTS = "select '' as \"privilege\", '' as \"granted_to\", '' as \"grantee_name\" where false"
# Warehouses, roles, users, grants and integrations have no meaning in one DuckDB file: accepted, and without effect.
NO_OPERATION = (
    r"\s*alter\s+(session|warehouse|account|user|role|database|resource\s+monitor|storage\s+integration)\b",
    r"\s*(grant|revoke)\s",
    r"\s*create\s+(or\s+replace\s+)?(warehouse|role|user|resource\s+monitor|storage\s+integration|network\s+policy)\b",
    r"\s*alter\s+table\s+\S+\s+alter\s+(\"[^\"]+\"|\w+)\s+comment\b",  # fakesnow keeps no comments of columns
    r"\s*create\s+(or\s+replace\s+)?function\b",  # JavaScript: `rewrites.normal_form` stands for the one there is
    r"\s*use\s+(role|warehouse|secondary\s+roles)\b",
)
# Numbers are seconds since 1970 in UTC, whatever the session's zone; fakesnow goes through the session's zone.
TO_TIMESTAMP = Template("""
create or replace macro ${catalog}._fs_to_timestamp(val, scale) as (
    case
        when try_cast(val as bigint) is not null
            then make_timestamp((val::bigint * case scale when 0 then 1000000 when 3 then 1000 else 1 end)::bigint)
        else cast(val as timestamp)
    end
);
""")


_comment_sql = info_schema.insert_table_comment_sql


def comment_sql(catalog: str, schema: str, table: str, comment: str | None) -> str:
    """Fakesnow's statement that keeps a comment, for one with an apostrophe and for none too."""
    return _comment_sql(catalog, schema, table, (comment or "").replace("'", "''"))


def tree_of(command: str) -> Expr:
    """What fakesnow reads in a statement at each step of its way: read once, and copied."""
    known = parsed(command)
    return known.copy() if known else dialect.parse_one(command)


def _replacement(found: re.Match[str]) -> str:
    return f"create or replace {found[1]} {found[2]}" + (" type = csv" if found[1].lower() != "stage" else "")


class Cursor(FakeSnowflakeCursor):
    """A cursor whose failed statements fail as Snowflake's do, and that knows MERGE, COPY and DDL's commit."""

    _conn: Connection
    _command = ""

    def execute(self, command: str, *args: Any, **kwargs: Any) -> FakeSnowflakeCursor:
        if kwargs.get("server"):
            self._conn.receive(command)
        try:
            command = ALTER_IN_PLACE.sub(_replacement, self._session_statement(command))
            self._command = command
            if schemas.performed(command, self._duck_conn, str(self._conn.database)):
                command = schemas.DONE
            return super().execute(command, *args, **kwargs)
        except Exception as error:
            # DuckDB aborts the transaction, and an unknown error would be an HTTP 500 that the connector retries.
            self._conn.end_transaction("rollback")
            if isinstance(error, (errors.ProgrammingError, errors.OperationalError)):
                raise
            text = str(error).split("\n")[0]
            code, state = (100090, "42P18") if "same target row more than once" in text else (9998, "XX000")
            raise errors.ProgrammingError(msg=f"emulator: {text}", errno=code, sqlstate=state) from error

    def _session_statement(self, command: str) -> str:
        """Keep what a session sets, and give the statement that shows it: dbt puts a former query tag back."""
        values = self._conn.parameters
        if found := SET_PARAMETER.match(command):
            values[found[1].lower()] = found[2]
            if found[1].lower() == "timezone":
                self._duck_conn.execute(f"set TimeZone = '{found[2]}'")
        elif found := UNSET_PARAMETER.match(command):
            values.pop(found[1].lower(), None)
        elif found := SHOW_PARAMETER.match(command):
            value = values.get(found[1].lower(), "")
            return f"""select '{found[1]}' as "key", '{value}' as "value", '' as "default", 'SESSION' as "level" """
        return NO_GRANTS if SHOW_GRANTS.match(command) else command

    def _describe_last_sql(self) -> list[Any]:
        """As fakesnow's, which reads the whole statement again to put one word before it."""
        with self._conn.cursor() as describing:
            describing._execute(exp.Command(this="DESCRIBE", expression=self._last_sql), self._last_params)
            return list(describing.fetchall())

    def _transform_explode(self, expression: Expr) -> list[Expr]:
        if table := rewrites.permanent_when_qualified(expression):
            self._conn.temporary[table.sql(dialect="snowflake")] = expression.args["kind"]
        if isinstance(expression, exp.Merge):
            # DuckDB's own MERGE: fakesnow's writes a second database inside the transaction, which DuckDB refuses.
            return [rewrites.merge_values_from_source(expression)]
        return super()._transform_explode(expression)

    def _transform(self, expression: Expr, params: Any) -> Expr:
        # Half of a run goes into some eighty walks over each tree; a run asks the same of many a build.
        key = (self._command, self._conn.database, self._conn.schema)
        known = self._conn.account.transformed
        if params is None and isinstance(expression, exp.Query) and key in known:
            return known[key].copy()
        transformed = rewrites.after(super()._transform(rewrites.before(expression), params))
        if params is None and isinstance(expression, exp.Query):
            known[key] = transformed.copy()
        return transformed

    def _execute(self, transformed: Expr, params: Any = None) -> None:
        if isinstance(transformed, (exp.Create, exp.Drop, exp.Alter, exp.TruncateTable)):
            self._conn.end_transaction("commit")  # as Snowflake's DDL does
        if isinstance(transformed, exp.Merge):
            transformed, params = self._merge(transformed, params), None
        elif copying.is_transformation(transformed):
            transformed, params = self._copy(transformed), None
        elif copying.is_staged_query(transformed):
            place = self._duck_conn, self._conn.database, self._conn.schema
            transformed, params = copying.staged_query(transformed, *place, self._conn.first_row), None
        super()._execute(transformed, params)
        if isinstance(transformed, (exp.Transaction, exp.Commit, exp.Rollback)):
            self._conn.explicit = isinstance(transformed, exp.Transaction)

    def _merge(self, statement: exp.Merge, params: Any) -> Expr:
        row = self._duck_conn.execute(statement.sql(dialect="duckdb"), params).fetchone()
        counts = parse_one(f'select {row[0] if row else 0} as "number of rows inserted", 0 as "number of rows updated"')
        counts.set("merge_counts", True)
        return counts

    def _copy(self, statement: exp.Copy) -> Expr:
        connection, loaded = self._duck_conn, []
        copy = copying.understand(statement, connection, self._conn.database, self._conn.schema)
        alone = not self._conn.explicit
        if alone:
            connection.begin()
        self._conn.explicit = True
        for number, name in enumerate(copy.names):
            row = connection.execute(copying.insert(copy, number, self._conn.first_row)).fetchone()
            loaded.append(copying.Loaded(name, row[0] if row else 0))
        if alone:
            self._conn.end_transaction("commit")
        return copying.result(loaded)


class Connection(FakeSnowflakeConnection):
    """A session: its role and parameters, whether a transaction is open and which temporary objects are its own."""

    def __init__(self, *args: Any, account: Account, first_row: int = 1, **kwargs: Any) -> None:
        self.explicit, self.first_row, self.account = False, first_row, account
        self.role = self.warehouse = ""
        self.temporary: dict[str, str] = {}
        self.parameters: dict[str, str] = {}
        super().__init__(*args, **kwargs)

    def cursor(self, cursor_class: Any = None) -> Cursor:
        return Cursor(conn=self, duck_conn=self._duck_conn)

    def receive(self, command: str) -> None:
        """Write down what a client sent, and as which role.

        Raises ProgrammingError with the privilege that the role lacks for it.
        """
        if found := USE_ROLE.match(command):
            self.role = found[1].upper()
        sent = {
            "role": self.role,
            "warehouse": self.warehouse,
            "tag": self.parameters.get("query_tag", ""),
            "sql": command,
        }
        self.account.record.write(json.dumps(sent) + "\n")
        if lacking := self.account.privileges.missing(self.role, command, self.warehouse):
            said = f"Insufficient privileges to operate on {lacking.kind} '{lacking.name}': {self.role} lacks {lacking.what}"
            raise errors.ProgrammingError(msg=f"SQL access control error: {said}", errno=3001, sqlstate="42501")
        self.account.privileges.note(self.role, command)

    def end_transaction(self, how: str) -> None:
        """Commit or roll back what is open, if anything is."""
        self.explicit = self._in_transaction = False
        with contextlib.suppress(duckdb.TransactionException):
            self._duck_conn.execute(how)

    def end(self) -> None:
        """Close the session as Snowflake does: what is open rolls back, temporary objects go."""
        self.end_transaction("rollback")
        for table, kind in self.temporary.items():
            with contextlib.suppress(errors.Error):
                self.cursor().execute(f"drop {kind} if exists {table}")
        self.close()


class Account(FakeSnow):
    """All databases of the emulator, kept as files in `folder`.

    Parameters: `timezone`, the account's default session zone; `first_row`, the number of a file's first data row
    in METADATA$FILE_ROW_NUMBER (Snowflake does not document whether a skipped header counts: 1 or 2).
    """

    def __init__(self, folder: Path, timezone: str = "UTC", first_row: int = 1) -> None:
        macros.FS_TO_TIMESTAMP = TO_TIMESTAMP
        cursor.parse_one = server.parse_one = tree_of
        info_schema.insert_table_comment_sql = comment_sql
        super().__init__(db_path=folder, nop_regexes=list(NO_OPERATION))
        self.first_row = first_row
        self.privileges = Privileges(DATABASE)
        self.privileges.replay(folder / RECORD)
        self.transformed: dict[tuple[str, str | None, str | None], Expr] = {}
        self.record = (folder / RECORD).open("a", encoding="utf-8", buffering=1)
        # Stages and file formats live here: in memory, they would be lost when the emulator stops.
        self.duck_conn.execute(f"detach {GLOBAL_DATABASE_NAME}")
        self.duck_conn.execute(f"attach '{folder / 'account.db'}' as {GLOBAL_DATABASE_NAME}")
        self.duck_conn.execute(info_schema.fs_global_creation_sql())
        self.duck_conn.execute(show.fs_global_creation_sql())
        self.duck_conn.execute(f"set global TimeZone = '{timezone}'")

    def connect(self, database: str | None = None, schema: str | None = None, **kwargs: Any) -> Connection:
        kwargs["nop_regexes"] = self.nop_regexes
        return Connection(
            self.duck_conn.cursor(), self.results_cache, database, schema,
            db_path=self.db_path, account=self, first_row=self.first_row, **kwargs,
        )  # fmt: skip
