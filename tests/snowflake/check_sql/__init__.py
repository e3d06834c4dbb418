"""Whether Snowflake would take a statement, as far as that can be known without an account.

`python -m tests.snowflake.check_sql PATH…` looks at SQL files and folders: grammar (sqlfluff's), functions and their
numbers of arguments, types, date parts, reserved words, and forms that Snowflake's documentation refuses (`rules.py`
names the page of each). What the project sends to both engines is also checked against `portable.py`: what both take
and read differently.
"""
